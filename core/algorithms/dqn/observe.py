"""What the panels show of a state: small arrays, made without touching the state or any of its dice."""

from collections.abc import Iterator

import numpy as np

from core.algorithms.dqn.environments import grid_of
from core.algorithms.dqn.rollout import Rollout
from core.algorithms.dqn.state import State
from core.events import Array, Event, Snapshot
from core.figures import quantised

SIDE = 20  # of the value map
BINS = 30
HELD = 2000  # remembered steps looked at
COVER = 24  # cells of the coverage across and up
FAR = 1e3  # a bound of the observations beyond this is none


def observe(state: State, everything: bool = True) -> Iterator[Event]:
    """The rollout and its values at each look, the other panels in turn; at step 0 also what never changes."""
    first = not isinstance(state.rollout, Rollout)
    if first:
        state.rollout = Rollout(state)
    if state.step == 0:
        yield Snapshot(0, "world", world_arrays(state))
    rollout: Rollout = state.rollout
    if not first:
        rollout.play(state)
    yield Snapshot(state.step, "rollout", rollout_arrays(rollout))
    yield Snapshot(state.step, "values", value_arrays(rollout))
    rollout.looks += 1
    turn = None if everything else rollout.looks % 3
    if turn in (0, None):
        yield Snapshot(state.step, "map", map_arrays(state, rollout))
    if turn in (1, None):
        yield Snapshot(state.step, "errors", error_arrays(state))
    if everything or rollout.pairs is not state.pairs:  # they are new after an evaluation
        rollout.pairs = state.pairs
        yield Snapshot(state.step, "calibration", {"pairs": state.pairs})
    if turn in (2, None) and state.table is None:
        yield Snapshot(state.step, "memory", memory_arrays(state))


def world_arrays(state: State) -> dict[str, Array]:
    """How many actions there are; rows, columns and letters of a world of cells."""
    arrays = {"actions": np.array([state.world.actions], np.int32)}
    grid = grid_of(state.world)
    if grid is not None:
        arrays["grid"] = np.array(grid[0], np.int32)
        arrays["letters"] = np.frombuffer(grid[1].encode("ascii"), np.uint8)
    return arrays


def rollout_arrays(rollout: Rollout) -> dict[str, Array]:
    """The picture as a PNG where there is one; episode, steps, rewards, and how it ended (0 not, 1 itself, 2 cut)."""
    over = ("", "terminated", "truncated").index(rollout.over)
    arrays = {"about": np.array([rollout.episode, rollout.t, rollout.returned, over], np.float32)}
    picture = rollout.picture()
    if picture is not None:
        arrays["png"] = picture
    return arrays


def value_arrays(rollout: Rollout) -> dict[str, Array]:
    """Q of each action at the shown episode's last steps, the present one last: (steps, actions), and their times."""
    Q = np.stack([q for q, _ in rollout.values] + [rollout.q]).astype(np.float32)
    return {"q": Q, "t": np.arange(rollout.t - len(Q) + 1, rollout.t + 1, dtype=np.int32)}


def map_arrays(state: State, rollout: Rollout) -> dict[str, Array]:
    """Q of every state where they can be counted; else value and best action over two numbers of the observation.

    The other numbers stand at their mean over what is remembered.
    """
    if state.world.states:
        n = min(state.world.states, 1000)
        return {"q": state.q(np.arange(n)).astype(np.float32), "at": np.array([int(rollout.observation)], np.int32)}
    x, y = axes(state)
    sample = held(state)
    low, high = bounds(state, sample)
    middle = sample.mean(axis=0) if len(sample) else np.zeros(state.world.shape, np.float32)
    places = np.tile(middle.astype(np.float32), (SIDE * SIDE, 1))
    across, up = np.linspace(low[x], high[x], SIDE), np.linspace(high[y], low[y], SIDE)
    places[:, y] = np.repeat(up, SIDE)
    places[:, x] = np.tile(across, SIDE)
    Q = state.q(places)
    V = Q.max(axis=1).reshape(SIDE, SIDE)
    return {
        "value": quantised(V, float(V.min()), float(V.max())),
        "range": np.array([V.min(), V.max()], np.float32),
        "action": Q.argmax(axis=1).reshape(SIDE, SIDE).astype(np.uint8),
        "extent": np.array([low[x], high[x], low[y], high[y]], np.float32),
        "axes": np.array([x, y], np.int32),
        "at": rollout.observation[[x, y]],
    }


def axes(state: State) -> tuple[int, int]:
    """The two numbers of the observation that are shown: the chosen ones, or the last there are; two, not one twice."""
    last = state.world.shape[0] - 1
    x, y = min(state.config.axis_x, last), min(state.config.axis_y, last)
    return (x - 1 if x else min(1, last), y) if x == y else (x, y)


def held(state: State) -> Array:
    """Remembered observations, at most :data:`HELD`, evenly picked."""
    replay = state.replay
    return replay.observation[: replay.size : max(1, replay.size // HELD)]


def bounds(state: State, sample: Array) -> tuple[Array, Array]:
    """Lowest and highest of each number: of what is remembered, rounded outwards so that the map keeps still."""
    space = state.world.env.observation_space
    low, high = (np.asarray(getattr(space, side, np.zeros(0)), np.float64).ravel() for side in ("low", "high"))
    if low.shape != state.world.shape:
        low, high = np.full(state.world.shape, -np.inf), np.full(state.world.shape, np.inf)
    reach = np.abs(sample).max(axis=0).astype(np.float64) if len(sample) else np.ones(state.world.shape)
    reach = _rounded(reach)
    return np.where(low > -FAR, np.maximum(low, -reach), -reach), np.where(high < FAR, np.minimum(high, reach), reach)


def _rounded(reach: Array) -> Array:
    """Up to the next power of √2."""
    result: Array = 2.0 ** (np.ceil(2 * np.log2(np.maximum(reach, 1e-3))) / 2)
    return result


def error_arrays(state: State) -> dict[str, Array]:
    """How often the last TD errors take each value."""
    errors = np.nan_to_num(state.errors, nan=0.0, posinf=1e30, neginf=-1e30)
    reach = float(_rounded(np.abs(errors).max(initial=1e-3)))
    counts, _ = np.histogram(errors, BINS, (-reach, reach))
    return {"counts": counts.astype(np.int32), "reach": np.array([reach], np.float32)}


def memory_arrays(state: State) -> dict[str, Array]:
    """Age of what is remembered and of what was drawn last, rewards, and how often each place was seen."""
    replay = state.replay
    picked = slice(0, replay.size, max(1, replay.size // HELD))
    oldest = max(state.step - int(replay.born[: replay.size].min(initial=state.step)), 1)
    age, drawn = state.step - replay.born[picked], state.step - replay.born[replay.drawn]
    rewards = replay.reward[picked]
    low, high = float(rewards.min(initial=0)), float(rewards.max(initial=0))
    arrays = {
        "size": np.array([replay.size, replay.capacity, oldest], np.int32),
        "age": np.histogram(age, 20, (0, oldest))[0].astype(np.int32),
        "drawn": np.histogram(drawn, 20, (0, oldest))[0].astype(np.int32),
        "rewards": np.histogram(rewards, 20, (low, max(high, low + 1e-6)))[0].astype(np.int32),
        "range": np.array([low, high], np.float32),
    }
    if state.world.states:
        n = min(state.world.states, 1000)
        arrays["visits"] = np.bincount(replay.observation[picked], minlength=n)[:n].astype(np.int32)
        return arrays
    x, y = axes(state)
    sample = held(state)
    least, largest = bounds(state, sample)
    where = [(least[y], largest[y]), (least[x], largest[x])]
    counts = np.histogram2d(sample[:, y], sample[:, x], COVER, where)[0][::-1]
    arrays["cover"] = quantised(np.sqrt(counts / max(counts.max(initial=1), 1)), 0, 1)
    arrays["extent"] = np.array([least[x], largest[x], least[y], largest[y]], np.float32)
    arrays["axes"] = np.array([x, y], np.int32)
    return arrays
