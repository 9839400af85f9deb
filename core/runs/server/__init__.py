"""What the server does with runs: the queue, the launchers, the live socket and the figures that it sends."""
