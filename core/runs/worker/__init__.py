"""The process that trains one run: its driver, what controls it, and the process that answers probes."""
