"""The settings of Q-learning, by table and by network, and which of them cannot go together. No gymnasium in here."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from core.algorithms.dqn import agreed
from core.algorithms.dqn.worlds import CONTINUOUS, LABELS, NAMED, Environment
from core.experiment import Config, Setting, Stop
from core.words import N_, Refusal

Width = Annotated[int, Field(ge=1, le=1024)]
DQN = {"method": ("dqn",)}

ENVIRONMENT, METHOD, MODEL, TRAINING = N_("Environment"), N_("Method"), N_("Model"), N_("Training")
REPLAY, TARGET, EXPLORATION = N_("Replay"), N_("Target network"), N_("Exploration")
EVALUATION, PICTURE = N_("Evaluation"), N_("Picture")


class DQNConfig(Config):
    """Settings of an agent, its world, and how it learns. The defaults are a CartPole that is known to work."""

    environment: Environment = Setting(
        "CartPole-v1",
        N_("Environment"),
        N_("The world the agent acts in."),
        group=ENVIRONMENT,
        labels=LABELS,
    )
    other: str = Setting(
        "",
        N_("Its name"),
        N_("Name of a registered Gymnasium environment with a finite number of actions, such as Taxi-v4."),
        group=ENVIRONMENT,
        shown_if={"environment": ("other",)},
        max_length=100,
    )
    slip: bool = Setting(
        False,
        N_("Slippery"),
        N_("The ice carries the agent sideways in two of three steps."),
        group=ENVIRONMENT,
        shown_if={"environment": ("FrozenLake-v1",)},
    )
    limit: int = Setting(
        0,
        N_("Longest episode"),
        N_("Steps after which an episode is cut off; 0 for the environment's own limit, or 1,000 where it has none."),
        group=ENVIRONMENT,
        scale="log",
        ge=0,
        le=100_000,
    )

    method: Literal["dqn", "q_learning", "sarsa"] = Setting(
        "dqn",
        N_("Method"),
        N_("A network that guesses the value of actions, or a table with a number for each state and action."),
        group=METHOD,
        labels={
            "dqn": N_("DQN (a network)"),
            "q_learning": N_("Q-learning (a table)"),
            "sarsa": N_("SARSA (a table)"),
        },
    )
    double: bool = Setting(
        False,
        N_("Double"),
        N_("One estimate picks the best action, another says its value: less over-estimation."),
        group=METHOD,
        shown_if={"method": ("dqn", "q_learning")},
    )
    dueling: bool = Setting(
        False,
        N_("Dueling"),
        N_("The network says the value of the state and each action's advantage, and adds them."),
        group=METHOD,
        shown_if=DQN,
    )
    n_step: int = Setting(
        1,
        N_("Steps of reward"),
        N_("Rewards that are added up before the rest is estimated; 1 is the usual target."),
        group=METHOD,
        shown_if=DQN,
        ge=1,
        le=20,
    )

    layers: tuple[Width, ...] = Setting(
        (256, 256),
        N_("Hidden layers"),
        N_("Units of each hidden layer, first to last, 1 to 1,024 each; without one the network is linear."),
        group=MODEL,
        shown_if=DQN,
        max_length=6,
    )

    lr: float = Setting(
        2.3e-3,
        N_("Learning rate"),
        N_("Length of a step: too small and nothing happens, too large and the values explode."),
        group=TRAINING,
        live=True,
        scale="log",
        ge=1e-6,
        le=1,
    )
    gamma: float = Setting(
        0.99,
        N_("Discount γ"),
        N_("What a reward is worth one step later; it sets how far ahead the agent looks."),
        group=TRAINING,
        step=0.01,
        ge=0,
        le=1,
    )
    train_every: int = Setting(
        256,
        N_("Train every"),
        N_("Steps in the environment from one training to the next."),
        group=TRAINING,
        scale="log",
        shown_if=DQN,
        ge=1,
        le=10_000,
    )
    gradient_steps: int = Setting(
        128,
        N_("Gradient steps"),
        N_("Updates of the network in each training."),
        group=TRAINING,
        scale="log",
        shown_if=DQN,
        ge=1,
        le=2000,
    )
    huber: bool = Setting(
        True,
        N_("Huber loss"),
        N_("Square small errors and count large ones as they are, so that a surprise does not tear the network."),
        group=TRAINING,
        shown_if=DQN,
    )
    clip: float = Setting(
        10.0,
        N_("Clip gradient"),
        N_("Longest gradient, over all weights together, that a step may use; 0 for any."),
        group=TRAINING,
        live=True,
        scale="log",
        shown_if=DQN,
        ge=0,
        le=100,
    )

    replay: bool = Setting(
        True,
        N_("Replay"),
        N_("Learn from steps drawn at random from a memory. Without it only the newest steps are learned from."),
        group=REPLAY,
        shown_if=DQN,
    )
    batch_size: int = Setting(
        64,
        N_("Batch size"),
        N_("Remembered steps looked at for one update."),
        group=REPLAY,
        live=True,
        scale="log",
        shown_if=DQN,
        ge=1,
        le=4096,
    )
    buffer: int = Setting(
        100_000,
        N_("Buffer"),
        N_("Steps that the memory holds; the oldest are forgotten first."),
        group=REPLAY,
        scale="log",
        shown_if=DQN,
        ge=1,
        le=1_000_000,
    )
    learning_starts: int = Setting(
        1000,
        N_("Learning starts"),
        N_("Steps of warm-up, at random and without learning, that fill the memory."),
        group=REPLAY,
        scale="log",
        shown_if=DQN,
        ge=0,
        le=1_000_000,
    )
    prioritised: bool = Setting(
        False,
        N_("Prioritised"),
        N_("Draw steps with a large error more often, and weigh them less."),
        group=REPLAY,
        shown_if=DQN,
    )
    alpha: float = Setting(
        0.6,
        N_("Priority α"),
        N_("How much the error counts in the draw: 0 not at all, 1 in proportion."),
        group=REPLAY,
        step=0.05,
        shown_if={"prioritised": (True,)},
        ge=0,
        le=1,
    )
    beta: float = Setting(
        0.4,
        N_("Priority β"),
        N_("How much of the draw's bias the weights take back at the start; all of it when exploration has come down."),
        group=REPLAY,
        step=0.05,
        shown_if={"prioritised": (True,)},
        ge=0,
        le=1,
    )

    target: Literal["hard", "soft", "none"] = Setting(
        "hard",
        N_("Target network"),
        N_("The copy that says what the next state is worth: now and then made anew, drawn along slowly, or none."),
        group=TARGET,
        shown_if=DQN,
        labels={"hard": N_("Copied every so often"), "soft": N_("Drawn along slowly"), "none": N_("None")},
    )
    target_every: int = Setting(
        10,
        N_("Copy every"),
        N_("Steps in the environment from one copy to the next."),
        group=TARGET,
        live=True,
        scale="log",
        shown_if={"target": ("hard",)},
        ge=1,
        le=100_000,
    )
    tau: float = Setting(
        0.005,
        N_("Rate τ"),
        N_("How far the copy moves towards the network after each update."),
        group=TARGET,
        live=True,
        scale="log",
        shown_if={"target": ("soft",)},
        ge=1e-4,
        le=1,
    )

    epsilon_start: float = Setting(
        1.0,
        N_("ε at the start"),
        N_("Share of actions at random when the run begins."),
        group=EXPLORATION,
        step=0.01,
        ge=0,
        le=1,
    )
    epsilon_end: float = Setting(
        0.04,
        N_("ε at the end"),
        N_("Share of actions at random that stays."),
        group=EXPLORATION,
        live=True,
        step=0.01,
        ge=0,
        le=1,
    )
    epsilon_steps: int = Setting(
        8000,
        N_("ε comes down over"),
        N_("Steps in the environment from the first ε to the last."),
        group=EXPLORATION,
        scale="log",
        ge=1,
        le=10_000_000,
    )

    evaluate_every: int = Setting(
        2500,
        N_("Evaluate every"),
        N_("Steps in the environment between two evaluations without any random action."),
        group=EVALUATION,
        scale="log",
        ge=10,
        le=1_000_000,
    )
    evaluate_episodes: int = Setting(
        20,
        N_("Episodes"),
        N_("Episodes of an evaluation, each with a seed of its own that no training episode has."),
        group=EVALUATION,
        ge=1,
        le=100,
    )

    axis_x: int = Setting(
        2,
        N_("Across"),
        N_("Which number of the observation the value map shows across; the first is 0."),
        group=PICTURE,
        live=True,
        shown_if={"environment": (*CONTINUOUS, "other")},
        ge=0,
        le=999,
    )
    axis_y: int = Setting(
        3,
        N_("Upward"),
        N_("Which number of the observation the value map shows upward; the first is 0."),
        group=PICTURE,
        live=True,
        shown_if={"environment": (*CONTINUOUS, "other")},
        ge=0,
        le=999,
    )

    @property
    def tabular(self) -> bool:
        """Whether values stand in a table, not in a network."""
        return self.method != "dqn"

    @property
    def name(self) -> str:
        """The environment's name as a person knows it."""
        return self.other if self.environment == "other" else self.environment

    def agree_with(self, stop: Stop) -> None:
        """Refuse a run that ends before its warm-up does, or before its first update."""
        if not self.tabular:
            agreed.end(self.learning_starts, self.train_every, stop.steps)

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Refuse what cannot go together."""
        if self.environment == "other" and not NAMED.fullmatch(self.other):
            raise Refusal(
                "other",
                N_("Its name: an environment's name ends in its version, such as Taxi-v4; it was {value}."),
                value=self.other or "''",
            )
        if self.tabular and self.environment in CONTINUOUS:
            raise Refusal(
                "method",
                N_("Method: a table needs states that can be counted, and {environment} has none. Choose DQN."),
                environment=self.environment,
            )
        if self.method == "sarsa" and self.double:
            raise Refusal(
                "double", N_("Double: SARSA takes no maximum, so there is none to correct. Choose Q-learning.")
            )
        if self.epsilon_end > self.epsilon_start:
            raise Refusal(
                "epsilon_end",
                N_("ε at the end: {end} is above the {start} it starts from; it can only come down."),
                end=self.epsilon_end,
                start=self.epsilon_start,
            )
        if not self.tabular:
            agreed.memory(self)
        return self
