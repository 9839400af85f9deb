"""Runs: what is on disk, the process that trains, and what the server does with them."""
