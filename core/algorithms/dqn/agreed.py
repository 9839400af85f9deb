"""What of the settings of a network cannot go together, and what cannot go with an end of the run."""

from typing import TYPE_CHECKING

from core.words import N_, Refusal

if TYPE_CHECKING:
    from core.algorithms.dqn.config import DQNConfig


def end(warm_up: int, every: int, steps: int) -> None:
    """Refuse a run of so many steps that ends before its warm-up does, or before its first update."""
    if warm_up >= steps:
        raise Refusal(
            "learning_starts",
            N_("Learning starts: after {warm_up} steps, but the run ends after {steps}. Start earlier, or run longer."),
            warm_up=warm_up,
            steps=steps,
        )
    first = (warm_up // every + 1) * every
    if first > steps:
        raise Refusal(
            "train_every",
            N_(
                "Train every: the first update comes after {first} steps, but the run ends after {steps}. "
                "Train more often, or run longer."
            ),
            first=first,
            steps=steps,
        )


def memory(config: "DQNConfig") -> None:
    """Refuse a memory that cannot be learned from, and a second opinion where there is one network."""
    if config.double and config.target == "none":
        raise Refusal(
            "double",
            N_("Double: without a target network there is no second estimate. Choose a target network."),
        )
    if config.replay and config.buffer < config.batch_size:
        raise Refusal(
            "buffer",
            N_("Buffer: {buffer} steps are fewer than a batch of {batch}. Make it at least as large."),
            buffer=config.buffer,
            batch=config.batch_size,
        )
    if config.prioritised and not config.replay:
        raise Refusal("prioritised", N_("Prioritised: there is nothing to choose from without replay. Switch it on."))
