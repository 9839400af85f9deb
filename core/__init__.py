"""Tenfold's engine: experiments, runs and the data they learn from. Nothing in here knows the page."""

__version__ = "0.1.0"
