"""The loop: nothing leaks from validation and test; what holds for every algorithm is in the contract suite."""

import numpy as np
import pytest
import torch

from core.algorithms.gnn.tasks import LinkTask
from core.data.links import codes
from core.experiment import Diverged
from tests.core.algorithms.gnn.cases import KINDS
from tests.core.algorithms.gnn.training import SMALL, run, start
from tests.core.algorithms.trial import copies, same

#: Edges drawn at random, and a network that knows nothing of a node but its degree.
RANDOM = {"task": "links", "model": "mlp", "features": "degree", "p_in": 0.03, "p_out": 0.03, "held_out": 0.3}


@pytest.mark.parametrize("kind", ["gcn", "gat", "graphs"])
def test_the_labels_of_validation_and_test_have_no_part_in_an_update(kind):
    one, other = start(KINDS[kind]), start(KINDS[kind])
    hidden = torch.cat([other.task.rows["val"], other.task.rows["test"]])
    other.task.y[hidden] = (other.task.y[hidden] + 1) % other.task.out_channels
    run(one, 12), run(other, 12)
    assert same(copies(one.model), copies(other.model))


def test_the_epoch_is_chosen_without_the_test():
    one, other = start(SMALL), start(SMALL)
    tested = other.task.rows["test"]
    other.task.y[tested] = (other.task.y[tested] + 1) % other.task.out_channels
    a, b = run(one, 40), run(other, 40)
    chosen = one.chosen_epoch.step
    assert chosen == other.chosen_epoch.step
    best = max(a.curves["val/accuracy"], key=lambda point: point[1])[1]
    at = dict(a.curves["val/accuracy"])[chosen]
    assert at == best
    assert a.last("chosen/accuracy") == dict(a.curves["test/accuracy"])[chosen]
    assert a.last("chosen/accuracy") != b.last("chosen/accuracy")


def test_no_pair_of_nodes_is_in_two_parts_of_the_links():
    state = start(SMALL | {"task": "links", "held_out": 0.4})
    task: LinkTask = state.task
    n = task.graph.n
    parts = [codes(pairs, n) for part in (task.links.train_pairs, task.links.val, task.links.test) for pairs in part]
    everything = np.concatenate(parts)
    assert len(np.unique(everything)) == len(everything)
    joined = set(codes(task.graph.edges, n).tolist())
    for part in (task.links.train_pairs, task.links.val, task.links.test):
        assert set(codes(part[0], n).tolist()) <= joined
        assert not set(codes(part[1], n).tolist()) & joined
        assert part[0].shape == part[1].shape
    carried = set(codes(np.sort(task.edges.edge_index.numpy(), axis=0), n).tolist())
    held_out = {code for part in (task.links.val, task.links.test) for code in codes(part[0], n).tolist()}
    assert not carried & held_out, "no message runs along an edge that is scored"
    assert carried | held_out == joined


def test_degrees_give_no_held_out_edge_away():
    """On edges drawn at random there is nothing to find. The area under the curve of k edges beside as many pairs that
    are not joined then has a deviation of √((2k + 1) / 12k²) around 1/2; the mean of eight has to lie within four of
    its own. With degrees that count held-out edges it is 0.64."""
    found, pairs = [], []
    for seed in range(8):
        state = start(RANDOM | {"seed": seed})
        pairs.append(state.task.links.test[0].shape[1])
        found.append(run(state, 100).last("test/auc"))
    k = np.mean(pairs)
    assert abs(np.mean(found) - 0.5) <= 4 * np.sqrt((2 * k + 1) / (12 * k**2) / len(found))


def test_negatives_of_training_are_in_no_part():
    from core.data.links import negatives

    links = start(SMALL | {"task": "links"}).task.links
    n = links.graph.n
    rng = np.random.default_rng(0)
    for _ in range(20):
        drawn = negatives(links.excluded, n, 100, rng)
        assert drawn.shape == (2, 100) and (drawn[0] < drawn[1]).all()
        assert not np.isin(codes(drawn, n), links.excluded).any()


def test_live_settings_act_at_once():
    state = start(SMALL)
    run(state, 3)
    state.apply_config(state.config.model_copy(update={"lr": 1e-6, "weight_decay": 0.1, "dropout": 0.0}))
    run(state, 5)
    assert [group["lr"] for group in state.optimizer.param_groups] == [1e-6, 1e-6]
    assert [group["weight_decay"] for group in state.optimizer.param_groups] == [0.1, 0.0]
    assert state.model.dropout.p == 0


def test_decay_reaches_the_first_layer_alone_where_it_shall():
    for where, groups in (("first", [0.5, 0.0]), ("all", [0.5, 0.5])):
        state = start(SMALL | {"decay": where, "weight_decay": 0.5})
        run(state, 1)
        assert [group["weight_decay"] for group in state.optimizer.param_groups] == groups
        first = {id(p) for p in state.model.layers[0].parameters()}
        assert {id(p) for p in state.optimizer.param_groups[0]["params"]} == first


def test_a_loss_that_is_no_number_diverges():
    state = start(SMALL)
    run(state, 3)
    next(state.model.parameters()).data.fill_(float("inf"))
    with pytest.raises(Diverged):
        run(state, 10)


def test_a_state_that_is_no_number_is_not_saved():
    state = start(SMALL)
    next(state.model.parameters()).data.fill_(float("nan"))
    with pytest.raises(Diverged):
        state.state_dict()
