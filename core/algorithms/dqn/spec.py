"""The declaration of deep Q-learning: panels, presets that are claims, metrics, diagnoses. No torch in here."""

from typing import Any

from core import metrics
from core.algorithms.dqn.config import DQNConfig
from core.algorithms.dqn.diagnoses import DIAGNOSES, NOTES
from core.algorithms.dqn.requests import Move
from core.data.environment_names import CONTINUOUS, GRIDS
from core.experiment import Experiment, Metric, Panel, Paper, Preset, Probe
from core.words import N_

_VIEWS = "core.algorithms.dqn.views"
_NETWORK = {"method": ("dqn",)}

PANELS = (
    Panel(
        "rollout",
        N_("The agent, playing"),
        N_("An episode without random actions, played beside the training by the agent as it is now."),
        view=f"{_VIEWS}:rollout",
        size="hero",
    ),
    Panel(
        "return",
        N_("Return"),
        N_("Rewards of an episode, added up: mean of the last 20 in training, and evaluations without random actions."),
        metrics=("recent/return", "test/return"),
        size="side",
    ),
    Panel(
        "values",
        N_("Q at the shown state"),
        N_("The estimated value of each action, step by step of the episode shown; the agent takes the highest."),
        view=f"{_VIEWS}:action_values",
        size="side",
    ),
    Panel(
        "map",
        N_("Value and best action"),
        N_("The value of each state and the best action there; the ring is the state shown."),
        view=f"{_VIEWS}:state_map",
    ),
    Panel(
        "estimate",
        N_("Expected and actual return"),
        N_(
            "The value estimated at an episode's start, and the discounted return that follows; of episodes that end, "
            "not of those cut off."
        ),
        metrics=("value/estimate", "value/obtained"),
    ),
    Panel(
        "loss",
        N_("Loss"),
        N_("How far the estimates are from their targets. The targets move, so it need not fall."),
        metrics=("train/loss",),
        scale="log",
    ),
    Panel("epsilon", N_("Exploration ε"), N_("Share of actions taken at random."), metrics=("explore/epsilon",)),
    Panel(
        "episodes",
        N_("Each episode in training"),
        N_("Return of the episodes with their random actions; where they are short, the mean of a few."),
        metrics=("train/return",),
    ),
    Panel(
        "length",
        N_("Length of an episode"),
        N_("Steps until an episode ends or is cut off."),
        metrics=("train/length", "test/length"),
    ),
    Panel(
        "online",
        N_("Network and its copy"),
        N_(
            "Mean Q of the last batch by the network and by the copy that makes its targets, and those targets: "
            "they should rise together."
        ),
        metrics=("q/online", "q/copy", "q/target"),
        shown_if=_NETWORK,
    ),
    Panel(
        "errors",
        N_("TD errors"),
        N_("Errors of the last update: right of 0 it went better than estimated, left of 0 worse."),
        view=f"{_VIEWS}:td_errors",
    ),
    Panel(
        "memory",
        N_("Replay buffer"),
        N_("How old its steps are, which rewards they had, and from which states they come."),
        view=f"{_VIEWS}:replay_buffer",
        shown_if=_NETWORK,
    ),
    Panel(
        "calibration",
        N_("Expected and actual return, step by step"),
        N_("Steps of the last evaluation: above the line the value was over-estimated, below it under-estimated."),
        view=f"{_VIEWS}:calibration",
        size="folded",
    ),
    Panel(
        "error_size",
        N_("Size of the TD errors"),
        N_("Mean distance of an estimate from its target."),
        metrics=("error/mean",),
        size="folded",
        scale="log",
    ),
)

METRICS = (
    Metric("train/return", N_("Return in training"), N_("Mean return of the episodes since the last point."), "high"),
    Metric("recent/return", N_("Running mean"), N_("Mean return of the last 20 training episodes."), "high"),
    Metric(
        "test/return",
        N_("Return in evaluation"),
        N_("Mean return of episodes without random actions, on seeds of their own."),
        "high",
    ),
    Metric("train/length", N_("Length in training"), N_("Mean steps of the episodes since the last point.")),
    Metric("test/length", N_("Length in evaluation"), N_("Mean steps of the evaluation's episodes.")),
    Metric("train/loss", N_("Training loss"), N_("Mean loss of the last batch.")),
    Metric("error/mean", N_("Size of the error"), N_("Mean of |δ| in the last batch.")),
    Metric("explore/epsilon", N_("ε"), N_("Share of actions taken at random.")),
    Metric("q/online", N_("Network"), N_("Mean Q of the actions in the last batch.")),
    Metric("q/copy", N_("Target network"), N_("Mean Q of the same actions by the target network, the copy.")),
    Metric("q/target", N_("Targets"), N_("Mean target of the last batch: reward and discounted value.")),
    Metric("value/estimate", N_("expected"), N_("Mean of the highest Q at the start of the evaluation's episodes.")),
    Metric("value/obtained", N_("actual"), N_("Mean discounted return of the evaluation's episodes.")),
)

_LAKE = {"environment": "FrozenLake-v1", "method": "q_learning", "lr": 0.5, "gamma": 0.95, "evaluate_every": 500}
_STEADY = {"gamma": 1.0, "epsilon_start": 0.1, "epsilon_end": 0.1}
_CLIFF = _STEADY | {"environment": "CliffWalking-v1", "lr": 0.5, "evaluate_every": 500, "evaluate_episodes": 1}
_TRAP = _STEADY | {"environment": "over_estimation", "method": "q_learning", "lr": 0.1, "evaluate_every": 100}

PRESETS = (
    Preset(
        "cartpole",
        N_("CartPole"),
        N_("A tuned network learns to balance the pole: an evaluation of 20 episodes reaches at least 475 of 500."),
        {},
        {"steps": 50_000},
    ),
    Preset(
        "no_target",
        N_("CartPole without a target network"),
        N_("A network that makes its own targets: Q passes 10,000, though no more than 100 can be earned."),
        {"target": "none"},
        {"steps": 5000},
    ),
    Preset(
        "lake",
        N_("FrozenLake"),
        N_("A table learns the way over the ice: every value within 0.01 of the exact one."),
        _LAKE | {"epsilon_end": 0.5, "epsilon_steps": 20_000},
        {"steps": 20_000},
    ),
    Preset(
        "never_explores",
        N_("FrozenLake without exploration"),
        N_("Always the best known action: the goal is never seen, every return is 0, and the page says why."),
        _LAKE | {"epsilon_start": 0.0, "epsilon_end": 0.0},
        {"steps": 5000},
    ),
    Preset(
        "cliff_q",
        N_("The cliff, by Q-learning"),
        N_("Q-learning finds the shortest way, 13 steps along the edge, and falls off whenever it tries something."),
        _CLIFF | {"method": "q_learning"},
        {"steps": 20_000},
    ),
    Preset(
        "cliff_sarsa",
        N_("The cliff, by SARSA"),
        N_(
            "SARSA's values include its random actions, so it keeps off the edge: in training it earns more than "
            "Q-learning."
        ),
        _CLIFF | {"method": "sarsa"},
        {"steps": 20_000},
    ),
    Preset(
        "trap",
        N_("A and B"),
        N_("The largest of ten noisy estimates is too high: plain Q-learning over-estimates the start."),
        _TRAP,
        {"steps": 3000},
    ),
    Preset(
        "trap_double",
        N_("A and B, with Double"),
        N_(
            "One table picks, the other gives the value: the estimate of the start comes nearer to its true value of 0."
        ),
        _TRAP | {"double": True},
        {"steps": 3000},
    ),
    Preset(
        "two_state",
        N_("Two states"),
        N_("A small network finds the values that can be worked out by hand, each within 0.01."),
        {
            "environment": "two_state",
            "layers": (32,),
            "lr": 2e-3,
            "gamma": 0.8,
            "train_every": 1,
            "gradient_steps": 1,
            "batch_size": 32,
            "buffer": 2000,
            "learning_starts": 100,
            "target_every": 50,
            "epsilon_end": 1.0,
            "evaluate_every": 500,
        },
        {"steps": 4000},
    ),
)

_SIDES = ("left", "right", "up", "down")
_ARROWS: dict[str, dict[str, Any]] = {f"Arrow{name.title()}": {"direction": name} for name in _SIDES}
_AGAIN: dict[str, dict[str, Any]] = {" ": {"again": True}}

PROBES = (
    Probe(
        "play",
        N_("Play it yourself"),
        N_("The same episode for you and for the agent: hold ← or →. It begins with your first key."),
        request=Move,
        view=f"{_VIEWS}:duel",
        keys={key: _ARROWS[key] for key in ("ArrowLeft", "ArrowRight")} | _AGAIN,
        idle={},
        beat=12,
        labels={" ": N_("New episode")},
        shown_if={"environment": CONTINUOUS},
    ),
    Probe(
        "walk",
        N_("Play it yourself"),
        N_("The same episode for you and for the agent: the arrow keys take a step, and the agent takes one too."),
        request=Move,
        view=f"{_VIEWS}:duel",
        keys=_ARROWS | _AGAIN,
        labels={" ": N_("New episode")},
        shown_if={"environment": GRIDS},
    ),
)

experiment = Experiment(
    slug="dqn",
    title=N_("Deep Q-learning"),
    family=N_("Graphs & agents"),
    tagline=N_("An agent tries, remembers, and learns the value of each action."),
    paper=Paper(
        "Human-level control through deep reinforcement learning",
        "V. Mnih, K. Kavukcuoglu, D. Silver et al.",
        2015,
        "https://doi.org/10.1038/nature14236",
    ),
    config=DQNConfig,
    panels=PANELS,
    presets=PRESETS,
    metrics=METRICS,
    diagnoses=metrics.sentences(DIAGNOSES) | NOTES,
    program="core.algorithms.dqn",
    source=("model", "replay", "agent", "tabular", "train"),
    place=10,
    snapshot_budget=0.028,
    probes=PROBES,
)
