"""Cutting and swapping blocks, and the loss around the weights."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core.algorithms.resnet.metrics import predictor
from core.algorithms.resnet.probes import SIDE, BlockEditor, LossPlane, coarse_to_fine, filter_normalised
from core.algorithms.resnet.requests import REACH, CutRequest, SurfaceRequest
from core.training import generator
from tests.core.algorithms.resnet.training import TINY, program, run, start

SMALL = TINY | {"n": 2, "batch_size": 64, "width": 4}


@pytest.fixture(scope="module")
def trained():
    """A state after some steps; probes change it, so each test restores what it cut."""
    torch.set_num_threads(1)
    return run(start(SMALL), 40).state


def answers(state, *requests, name="cut"):
    return [event.arrays for event in program.probe(state, name, iter(requests))]


def cut_by_hand(net, s, block) -> float:
    """Accuracy on the test pictures with one block left out: its input goes on as it is."""
    net.eval()
    with torch.no_grad():
        x = F.relu(net.norm(net.conv(s.inputs(s.x_test))))
        for i, one in enumerate(net.blocks):
            x = x if i == block else one(x)
        return float((net.linear(x.mean(dim=(2, 3))).argmax(dim=1) == s.y_test).float().mean())


def test_a_clicked_block_is_cut_and_comes_back(trained):
    whole, cut, back = answers(trained, CutRequest(), CutRequest(block=3), CutRequest(block=3))
    assert whole["cut"].tolist() == [] and cut["cut"].tolist() == [3] and back["cut"].tolist() == []
    for i, (name, net) in enumerate(trained.networks.items()):
        assert whole["accuracy"][0, i] == pytest.approx(cut_by_hand(net, trained, None), abs=1e-6)
        assert cut["accuracy"][1, i] == pytest.approx(cut_by_hand(net, trained, 3), abs=1e-6), name
    assert np.array_equal(back["accuracy"][0], back["accuracy"][1])


def test_keys_walk_and_cut_where_they_are(trained):
    walk = [CutRequest(act="back"), CutRequest(act="next"), CutRequest(act="next"), CutRequest(act="cut")]
    found = answers(trained, *walk, CutRequest(act="restore"))
    assert [a["at"][0] for a in found] == [5, 0, 1, 1, 1]
    assert [a["cut"].tolist() for a in found] == [[], [], [], [1], []]


def test_each_in_turn_draws_a_bar_after_another(trained):
    found = answers(trained, CutRequest(act="each"))
    assert len(found) == 6 + 1
    assert [(a["each"][0] >= 0).sum() for a in found] == [1, 2, 3, 4, 5, 6, 6]
    for i, net in enumerate(trained.networks.values()):
        assert found[-1]["each"][i, 3] == pytest.approx(cut_by_hand(net, trained, 3), abs=1e-6)


def test_a_block_that_changes_the_shape_leaves_its_shortcut(trained):
    (found,) = answers(trained, CutRequest(block=2))
    net = trained.networks["plain"]
    gates = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0]
    right = predictor(trained, net, gates)(trained.x_test).argmax(dim=1) == trained.y_test
    assert found["accuracy"][1, 1] == pytest.approx(right.float().mean().item(), abs=1e-6)


def test_two_blocks_of_a_stage_change_places_and_others_do_not():
    state = run(start(SMALL | {"n": 3}), 20).state
    editor = BlockEditor(state)
    before = {name: list(net.blocks) for name, net in state.networks.items()}
    assert editor.alike(0, 1) and editor.alike(4, 5) and not editor.alike(2, 3) and not editor.alike(1, 4)

    def swap(first, second):
        for place in (first, second):
            editor.cursor = place
            changed = editor.apply(CutRequest(act="swap"))
        return changed

    assert swap(4, 5)
    for name, net in state.networks.items():
        assert net.blocks[4] is before[name][5] and net.blocks[5] is before[name][4]
    assert editor.arrays()["moved"].tolist() == [4, 5]
    assert not swap(1, 4) and editor.held == 4
    editor.apply(CutRequest(act="restore"))
    assert all(list(net.blocks) == before[name] for name, net in state.networks.items())
    assert editor.held == -1


def test_a_block_that_is_not_there_is_left_alone(trained):
    (found,) = answers(trained, CutRequest(block=50))
    assert found["cut"].tolist() == []


# The loss surface


def test_each_filter_of_a_direction_is_as_long_as_the_networks_own():
    W = torch.randn(5, 3, 3, 3, generator=torch.Generator().manual_seed(0)) * torch.arange(5.0).view(5, 1, 1, 1)
    d = filter_normalised(W, generator(0, "a"))
    for i in range(5):
        assert d[i].norm().item() == pytest.approx(W[i].norm().item(), abs=1e-5)
    other = filter_normalised(W, generator(0, "b"))
    cosine = F.cosine_similarity(d[1:].flatten(), other[1:].flatten(), dim=0)
    assert abs(float(cosine)) < 0.5
    rows = filter_normalised(torch.randn(4, 7), generator(0, "a"))
    assert rows.shape == (4, 7)


def test_the_middle_of_a_plane_is_the_training_loss_and_nothing_is_changed(trained):
    s = trained
    for net in s.networks.values():
        before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
        plane = LossPlane(s, net, 0)
        plane.loss(0.5, -0.5)
        found = plane.loss(0.0, 0.0)
        for name, tensor in net.state_dict().items():
            assert torch.equal(tensor, before[name])
        net.train()
        with torch.no_grad():
            expected = F.cross_entropy(net(s.inputs(s.x_train[:128])), s.y_train[:128]).item()
        assert found == pytest.approx(expected, rel=1e-4)
        net.load_state_dict(before)


def test_a_place_of_the_plane_is_that_far_along_both_directions(trained):
    s, net = trained, trained.networks["residual"]
    plane = LossPlane(s, net, 3)
    assert len(plane.weights) == 2 * 6 + 2, "every convolution and the linear layer, no norm and no bias"
    found = plane.loss(0.3, -0.7)
    moved = [c + 0.3 * d - 0.7 * e for c, d, e in zip(plane.centre, plane.delta, plane.eta, strict=True)]
    assert all(torch.equal(a, b) for a, b in zip(plane.weights, moved, strict=True))
    assert LossPlane(s, net, 3).loss(0.3, -0.7) == found
    assert LossPlane(s, net, 4).loss(0.3, -0.7) != found


def test_places_come_from_coarse_to_fine_each_once():
    places = coarse_to_fine()
    assert len(places) == len(set(places)) == SIDE**2
    assert places[0] == (SIDE // 2, SIDE // 2)
    assert set(places[:9]) == {(r, c) for r in (0, 8, 16) for c in (0, 8, 16)}


def test_a_surface_grows_until_it_is_whole(trained):
    requests = iter([SurfaceRequest(), SurfaceRequest(act="narrower")])
    found = []
    for event in program.probe(trained, "surface", requests):
        found.append(event.arrays)
        if event.arrays["about"][1] < 1:
            break
    *whole, narrower = found
    shares = [float(a["about"][0]) for a in whole]
    assert shares == sorted(shares) and shares[-1] == 1
    filled = [int(np.isfinite(a["loss"]).sum()) for a in whole]
    assert filled[0] < filled[1] and filled[-1] == 2 * SIDE**2
    assert narrower["about"][1] == REACH[1]
    middle = SIDE // 2
    assert narrower["loss"][0, middle, middle] == pytest.approx(whole[-1]["loss"][0, middle, middle], rel=1e-5)
