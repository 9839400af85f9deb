"""A toy algorithm as somebody would add it: one folder, one folder of tests and a page of two lines, nothing else."""
