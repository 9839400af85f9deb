"""What a checkpoint gives back: every array its own, whatever the allocator did meanwhile."""

import numpy as np
import torch

from core.runs.store import checkpoints


def test_arrays_and_tensors_of_one_size_come_back_each_as_it_was(tmp_path):
    """Copies of the same size tend to get the same memory one after the other."""
    arrays = [np.full((300, 50), i, np.float32) for i in range(20)]
    tensors = [torch.full((300, 50), float(i)) for i in range(20)]
    tied = tensors[3]
    state = {"arrays": arrays, "tensors": tensors, "tied": tied, "view": arrays[4].T}
    checkpoints.save(tmp_path, checkpoints.Saved(1, {}, 0.0, 1, state))
    found = checkpoints.newest(tmp_path)
    assert found is not None
    for i in range(20):
        assert (found.state["arrays"][i] == i).all() and (found.state["tensors"][i] == i).all(), i
    assert (found.state["tied"] == 3).all() and (found.state["view"] == arrays[4].T).all()
    assert found.state["view"].shape == (50, 300)
