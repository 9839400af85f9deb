"""A run on disk: its log, its folder, its checkpoints, and what can be exported from them."""
