"""Runs: their logs, the workers that write them, and the hub that tells the page."""
