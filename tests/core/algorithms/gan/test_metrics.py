"""How generated samples are evaluated: on noise that stays the same, by judges that know real samples."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.algorithms.gan.config import GANConfig
from core.algorithms.gan.diagnoses import WINDOW
from core.algorithms.gan.metrics import generate, should_evaluate
from core.algorithms.gan.train import load
from core.events import Note, Scalars
from core.sample_quality import NEIGHBOURS, ImageJudge, Judgement, frechet, moments
from core.samplers import encode
from tests.core.algorithms.gan.cases import CRITIC, KINDS, SMALL
from tests.core.algorithms.gan.training import judged_images, program, run, start
from tests.core.algorithms.trial import copies, same, through_checkpoint


def value_of(generator):
    """What a generator returns."""
    while True:
        try:
            next(generator)
        except StopIteration as stop:
            return stop.value


def judged(state, samples) -> Judgement:
    return value_of(state.judge.evaluate(samples))


def test_samples_are_evaluated_on_fixed_noise():
    state = start(SMALL)
    one, again = ([e.values for e in program.log_metrics(state) if isinstance(e, Scalars)] for _ in range(2))
    assert one == again and "modes/covered" in one[0]


@pytest.mark.parametrize("data", ["ring", "mnist_5k"])
def test_evaluations_are_at_16_and_its_doubles_and_at_each_256(data):
    state = start(SMALL | {"data": data})
    found = []
    for state.step in range(2000):
        if state.should_log(state.step) and should_evaluate(state):
            found.append(state.step)
    assert found == [0, 16, 32, 64, 128, *range(256, 2000, 256)]
    state.step = 1 << 20  # where logs are farther apart, every log is evaluated
    assert state.should_log(state.step) and should_evaluate(state)


def test_images_are_evaluated_and_compared_with_images_never_trained_on():
    state = start(KINDS["images"])
    log = run(state, 32)
    assert {"images/score", "images/frechet", "images/confidence", "modes/covered"} <= set(log.curves)
    data = state.judge.data
    assert len(data.x_train) == 4000 and len(data.x_test) == 1000
    predicted = state.judge.nearest_mode(encode(torch.from_numpy(data.x_test)))
    assert (predicted == data.y_test).mean() >= 0.85, "the judge of the samples reads digits it was not trained on"
    x = state.real_data.sample(24, state.rng)
    assert x.shape == (24, 784) and -1 <= x.min() < -0.99 and 0.99 < x.max() <= 1
    assert np.array_equal(state.real_data.pixels.numpy(), data.x_train)


def test_samples_are_compared_with_test_images_and_training_images_stand_apart():
    judge = start(KINDS["images"]).judge
    test, train = (judge.features(encode(torch.from_numpy(x))) for x in (judge.data.x_test, judge.data.x_train))
    assert test.shape == (1000, 64)
    own = judge.mean, judge.covariance
    assert frechet(*own, *moments(test)) < 1e-6
    assert frechet(*own, *moments(train)) > 0.5


def test_every_seed_has_the_same_judge_and_the_same_test_images():
    (data, classifier), (other_data, other) = judged_images("mnist_5k"), load(GANConfig(data="mnist_5k", seed=5))
    assert np.array_equal(data.x_test, other_data.x_test)
    assert same(copies(classifier), copies(other))


def test_noise_is_none_of_the_digits():
    """A classifier gives any picture to one of its classes; only of those that it is sure of does one count."""
    state = start(KINDS["images"])
    rng = torch.Generator().manual_seed(0)
    for noise in (torch.rand(1000, 784, generator=rng) * 2 - 1, 0.05 * torch.randn(1000, 784, generator=rng)):
        assert judged(state, noise).metrics["modes/covered"] < 5


def test_real_digits_are_all_ten_and_the_judge_counts_them():
    state = start(KINDS["images"])
    found = judged(state, state.real_data.sample(1000, torch.Generator().manual_seed(0)))
    assert found.metrics["modes/covered"] == 10
    assert found.metrics["images/score"] > 7 and 0.8 < found.metrics["images/confidence"] <= 1
    assert found.shares.sum() == pytest.approx(1) and found.shares.min() > 0.05
    assert found.confidence.min() > 0.7
    three = torch.from_numpy(state.judge.data.x_test[state.judge.data.y_test == 3])
    only = judged(state, encode(three))
    assert only.shares[3] > 0.8 and only.confidence[3] > 0.8 and only.metrics["modes/covered"] < 10


def test_points_of_the_plane_are_counted_by_mode():
    state = start(SMALL)
    at = state.real_data.skeleton[[0, 0, 0, 1]]
    beside = state.real_data.skeleton[[0, 5]] * 0.9  # nearest to a mode, and more than 3σ away
    found = judged(state, torch.cat([at, beside]))
    assert found.metrics == {"modes/covered": 2, "modes/quality": 4 / 6}
    assert found.shares.tolist() == pytest.approx([4 / 6, 1 / 6, 0, 0, 0, 1 / 6, 0, 0])


def test_a_rotation_that_leaves_the_histogram_as_it_is_has_moved_all_samples():
    state = start({"g_layers": (), "ema": 0.999})  # G(z) = Wz + b; its average stays where it is
    for angle in (0, np.pi / 4, np.pi / 4):
        rotation = torch.tensor([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype=torch.float32)
        state.G[0].weight.data = rotation
        list(program.log_metrics(state))
        state.step += 256
    still, moved, stopped = (one.moved for one in state.history)
    assert still == 0 and stopped == 0
    # A rotation by an eighth sends all of the noise to the next cloud of the ring.
    assert moved > 0.99
    assert all(one.near == 8 for one in state.history)


def test_the_history_holds_what_a_diagnosis_needs_and_no_more():
    state = start(SMALL)
    run(state, 12)
    for state.step in range(1024, 1024 + 256 * 8, 256):
        list(program.log_metrics(state))
    assert [one.step for one in state.history] == [1024 + 256 * i for i in range(8 - WINDOW, 8)]
    assert state.history[-1].real == state.recorded["D/real"] and state.history[-1].fake == state.recorded["D/fake"]
    assert state.history[-1].modes == 8


@pytest.mark.parametrize("ema", [0.0, 0.99])
def test_after_an_evaluation_g_trains_on_with_the_statistics_of_its_batches(ema):
    state = start(SMALL | {"g_norm": True, "ema": ema})
    list(program.log_metrics(state))
    modes = [{module.training for module in net.modules()} for net in (state.G, state.D, state.G_ema)]
    assert modes == [{True}, {True}, {False}]


@pytest.mark.parametrize("ema", [0.0, 0.99])
def test_samples_are_of_the_average_where_there_is_one(ema):
    state = start(SMALL | {"ema": ema})
    run(state, 20)
    with torch.no_grad():
        expected = (state.G_ema if ema else state.G)(state.fixed_z)
    assert torch.equal(generate(state, state.fixed_z), expected)
    assert not torch.equal(*(net(state.fixed_z) for net in (state.G, state.G_ema)))


def test_outputs_of_a_critic_are_no_measure_of_how_sure_it_is():
    state = start(CRITIC)
    run(state, 32)
    assert state.recorded["D/real"] != 0.5
    assert {(one.real, one.fake) for one in state.history} == {(0.5, 0.5)}


def test_a_diagnosis_knows_the_smoothing_that_d_is_trained_with():
    for smoothing, diagnosed in ((0.1, True), (0.0, False)):
        state = start(SMALL | {"smoothing": smoothing})
        state.recorded = {"D/real": 0.88, "D/fake": 0.01}
        notes = []
        for state.step in range(1024, 1024 + 256 * WINDOW, 256):
            notes += [event.diagnosis for event in program.log_metrics(state) if isinstance(event, Note)]
        assert ("D too strong" in notes) == diagnosed


def test_evaluations_are_resumed():
    state = start(SMALL)
    run(state, 32)
    resumed = start(SMALL)
    resumed.load_state_dict(through_checkpoint(state.state_dict()))
    assert [one.step for one in resumed.history] == [0, 16, 32] and resumed.history == state.history
    assert np.array_equal(resumed.modes, state.modes)


def test_the_nearest_training_image_of_a_training_image_is_itself():
    state = start(KINDS["images"])
    images = encode(torch.from_numpy(state.judge.data.x_train[[5, 3, 999]]))
    rows = value_of(state.judge.nearest_rows(images))
    assert rows.tolist() == [5, 3, 999]
    data = state.judge.data
    more = replace(data, x_train=np.concatenate([data.x_train, 255 - data.x_train[::-1]]))  # too many for one pass
    rows = value_of(ImageJudge(more, state.judge.classifier, "cpu").nearest_rows(torch.cat([images, -images])))
    assert rows.tolist() == [5, 3, 999, 7994, 7996, 7000]
    darker = (images * 0.9).repeat(6, 1)
    found = judged(state, darker)
    assert len(found.nearest) == NEIGHBOURS
    assert np.array_equal(found.nearest[1].reshape(-1), state.judge.data.x_train[3])
