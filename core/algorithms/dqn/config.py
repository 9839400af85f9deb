"""The settings of Q-learning, by table and by network, and which of them cannot go together. No gymnasium in here."""

from typing import Literal, Self

from pydantic import model_validator

from core import fields
from core.data.environment_names import CONTINUOUS, ENVIRONMENTS, NAMED
from core.experiment import Config, Stop
from core.fields import TRAINING, Group
from core.words import N_, Refusal

Environment = Literal[
    "CartPole-v1",
    "MountainCar-v0",
    "Acrobot-v1",
    "FrozenLake-v1",
    "CliffWalking-v1",
    "two_state",
    "over_estimation",
    "other",
]

DQN = {"method": ("dqn",)}
VECTORS = {"environment": (*CONTINUOUS, "other")}

ENVIRONMENT, METHOD, EXPLORATION = Group(N_("Environment")), Group(N_("Method")), Group(N_("Exploration"))
REPLAY, TARGET = Group(N_("Replay"), shown_if=DQN), Group(N_("Target network"), shown_if=DQN)
EVALUATION, PICTURE = Group(N_("Evaluation")), Group(N_("Picture"), shown_if=VECTORS)


class DQNConfig(Config):
    """Settings of an agent, its environment, and how it learns. The defaults are a CartPole that is known to work."""

    environment: Environment = ENVIRONMENT.setting(
        "CartPole-v1", labels=ENVIRONMENTS | {"other": N_("Another of Gymnasium's")}
    ).described(N_("Environment"), N_("The world the agent acts in."))
    other: str = ENVIRONMENT.setting("", shown_if={"environment": ("other",)}, max_length=100).described(
        N_("Its name"),
        N_("Name of a registered Gymnasium environment with a finite number of actions, such as Taxi-v4."),
    )
    slip: bool = ENVIRONMENT.setting(False, shown_if={"environment": ("FrozenLake-v1",)}).described(
        N_("Slippery"), N_("The ice carries the agent sideways in two of three steps.")
    )
    limit: int = ENVIRONMENT.setting(0, scale="log", ge=0, le=100_000).described(
        N_("Longest episode"),
        N_("Steps after which an episode is cut off; 0 for the environment's own limit, or 1,000 where it has none."),
    )

    method: Literal["dqn", "q_learning", "sarsa"] = METHOD.setting(
        "dqn",
        labels={
            "dqn": N_("DQN (a network)"),
            "q_learning": N_("Q-learning (a table)"),
            "sarsa": N_("SARSA (a table)"),
        },
    ).described(
        N_("Method"),
        N_("A network that estimates the value of actions, or a table with a number for each state and action."),
    )
    double: bool = METHOD.setting(False, shown_if={"method": ("dqn", "q_learning")}).described(
        N_("Double"), N_("One estimate picks the best action, another gives its value: less over-estimation.")
    )
    dueling: bool = METHOD.setting(False, shown_if=DQN).described(
        N_("Dueling"), N_("The network outputs the value of the state and each action's advantage, and adds them.")
    )
    n_step: int = METHOD.setting(1, shown_if=DQN, ge=1, le=20).described(
        N_("Steps of reward"), N_("Rewards that are added up before the rest is estimated; 1 is the usual target.")
    )

    layers: fields.Widths = fields.hidden_layers((256, 256), max_length=6, shown_if=DQN)

    lr: float = fields.learning_rate(2.3e-3)
    gamma: float = TRAINING.setting(0.99, step=0.01, ge=0, le=1).described(
        N_("Discount γ"), N_("What a reward is worth one step later; it sets how far ahead the agent looks.")
    )
    train_every: int = TRAINING.setting(256, scale="log", shown_if=DQN, ge=1, le=10_000).described(
        N_("Train every"), N_("Steps in the environment from one training to the next.")
    )
    gradient_steps: int = TRAINING.setting(128, scale="log", shown_if=DQN, ge=1, le=2000).described(
        N_("Gradient steps"), N_("Updates of the network in each training.")
    )
    huber: bool = TRAINING.setting(True, shown_if=DQN).described(
        N_("Huber loss"),
        N_("Quadratic for small errors and linear for large ones, so that an outlier does not upset the network."),
    )
    clip: float = fields.clip_gradient(10.0, group=TRAINING, shown_if=DQN)

    replay: bool = REPLAY.setting(True).described(
        N_("Replay"),
        N_("Learn from steps drawn at random from a replay buffer. Without it only the newest steps are learned from."),
    )
    batch_size: int = fields.batch_size(64, group=REPLAY, description=N_("Steps drawn from the buffer for one update."))
    buffer: int = REPLAY.setting(100_000, scale="log", ge=1, le=1_000_000).described(
        N_("Buffer"), N_("Steps that the replay buffer holds; the oldest are dropped first.")
    )
    learning_starts: int = REPLAY.setting(1000, scale="log", ge=0, le=1_000_000).described(
        N_("Learning starts"), N_("Steps of warm-up, at random and without learning, that fill the replay buffer.")
    )
    prioritised: bool = REPLAY.setting(False).described(
        N_("Prioritised"), N_("Draw steps with a large error more often, and weigh them less.")
    )
    alpha: float = REPLAY.setting(0.6, step=0.05, shown_if={"prioritised": (True,)}, ge=0, le=1).described(
        N_("Priority α"), N_("How much the error counts in the draw: 0 not at all, 1 in proportion.")
    )
    beta: float = REPLAY.setting(0.4, step=0.05, shown_if={"prioritised": (True,)}, ge=0, le=1).described(
        N_("Priority β"),
        N_("How much of the draw's bias the weights take back at the start; all of it when exploration has come down."),
    )

    target: Literal["hard", "soft", "none"] = TARGET.setting(
        "hard", labels={"hard": N_("Hard update"), "soft": N_("Soft update"), "none": N_("None")}
    ).described(
        N_("Target network"),
        N_(
            "The copy of the network that values the next state: copied every so many steps, moved a little after each "
            "update, or none."
        ),
    )
    target_every: int = TARGET.setting(
        10, live=True, scale="log", shown_if={"target": ("hard",)}, ge=1, le=100_000
    ).described(N_("Copy every"), N_("Steps in the environment from one copy to the next."))
    tau: float = TARGET.setting(0.005, live=True, scale="log", shown_if={"target": ("soft",)}, ge=1e-4, le=1).described(
        N_("Rate τ"), N_("How far the copy moves towards the network after each update.")
    )

    epsilon_start: float = EXPLORATION.setting(1.0, step=0.01, ge=0, le=1).described(
        N_("ε at the start"), N_("Share of actions at random when the run begins.")
    )
    epsilon_end: float = EXPLORATION.setting(0.04, live=True, step=0.01, ge=0, le=1).described(
        N_("ε at the end"), N_("Share of actions at random that stays.")
    )
    epsilon_steps: int = EXPLORATION.setting(8000, scale="log", ge=1, le=10_000_000).described(
        N_("ε comes down over"), N_("Steps in the environment from the first ε to the last.")
    )

    evaluate_every: int = EVALUATION.setting(2500, scale="log", ge=10, le=1_000_000).described(
        N_("Evaluate every"), N_("Steps in the environment between two evaluations without any random action.")
    )
    evaluate_episodes: int = EVALUATION.setting(20, ge=1, le=100).described(
        N_("Episodes"), N_("Episodes of an evaluation, each with a seed of its own that no training episode has.")
    )

    axis_x: int = PICTURE.setting(2, live=True, ge=0, le=999).described(
        N_("Across"), N_("Which number of the observation the value map shows across; the first is 0.")
    )
    axis_y: int = PICTURE.setting(3, live=True, ge=0, le=999).described(
        N_("Upward"), N_("Which number of the observation the value map shows upward; the first is 0.")
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
        if self.tabular:
            return
        if self.learning_starts >= stop.steps:
            raise Refusal(
                "learning_starts",
                N_(
                    "Learning starts: after {warm_up} steps, but the run ends after {steps}. "
                    "Start earlier, or run longer."
                ),
                warm_up=self.learning_starts,
                steps=stop.steps,
            )
        first = (self.learning_starts // self.train_every + 1) * self.train_every
        if first > stop.steps:
            raise Refusal(
                "train_every",
                N_(
                    "Train every: the first update comes after {first} steps, but the run ends after {steps}. "
                    "Train more often, or run longer."
                ),
                first=first,
                steps=stop.steps,
            )

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
            raise needs_network(self)
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
            self._check_replay()
        return self

    def _check_replay(self) -> None:
        """Refuse a buffer that cannot be learned from, and a second estimate where there is one network."""
        if self.double and self.target == "none":
            raise Refusal(
                "double",
                N_("Double: without a target network there is no second estimate. Choose a target network."),
            )
        if self.replay and self.buffer < self.batch_size:
            raise Refusal(
                "buffer",
                N_("Buffer: {buffer} steps are fewer than a batch of {batch}. Make it at least as large."),
                buffer=self.buffer,
                batch=self.batch_size,
            )
        if self.prioritised and not self.replay:
            raise Refusal(
                "prioritised", N_("Prioritised: there is nothing to choose from without replay. Switch it on.")
            )


def needs_network(config: DQNConfig) -> Refusal:
    """Why a table cannot hold the values of an environment whose observations are vectors."""
    return Refusal(
        "method",
        N_("Method: a table needs states that can be counted, and {environment} has none. Choose DQN."),
        environment=config.name,
    )
