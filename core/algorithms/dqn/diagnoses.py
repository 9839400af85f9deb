"""What may go wrong in learning from one's own actions: values that explode, no exploration, forgetting."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.metrics import Diagnosis, Values, diagnosis
from core.words import N_

#: Episodes that must have ended alike before exploration is missing.
ALIKE = 20
#: Evaluations whose mean is compared: one alone may be chance.
FEW = 3
#: A fall is none within so many standard errors: where rewards are drawn, evaluations differ by themselves.
SURE = 3.0


class Evaluation(NamedTuple):
    """Mean return of an evaluation's episodes, and its standard error."""

    step: int
    mean_return: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the diagnoses are made from.

    Attributes:
        largest_q: largest |Q| or target in the last update.
        largest_reward: largest |r| so far.
        gamma, longest: discount, and the longest episode in steps so far.
        epsilon: share of random actions now.
        tabular: whether values stand in a table.
        episodes: that ended so far.
        lowest, highest: their returns.
        history: every evaluation so far.
    """

    largest_q: float
    largest_reward: float
    gamma: float
    longest: float
    epsilon: float
    tabular: bool
    episodes: int
    lowest: float
    highest: float
    history: Sequence[Evaluation]

    @property
    def largest_return(self) -> float:
        """The largest discounted return that rewards as large as those so far could add up to."""
        if self.gamma < 1:
            return self.largest_reward / (1 - self.gamma)
        return self.largest_reward * self.longest


@diagnosis(
    "Q diverges",
    N_(
        "Q diverges: a value of {q} was reached, but no more than {bound} can be earned. "
        "Try a target network, a smaller learning rate, or Double."
    ),
    begin=5.0,
)
def q_diverges(evidence: Evidence, times: float) -> Values | None:
    """Q is more than this many times the largest discounted return there could be."""
    bound = evidence.largest_return
    if bound and evidence.largest_q > times * bound:
        return {"q": f"{evidence.largest_q:.3g}", "bound": f"{bound:.3g}"}
    return None


@diagnosis(
    "never explores",
    N_(
        "Never explores: all {episodes} episodes so far returned {value}, and {percent} % of actions are random. "
        "Try a larger ε, or let it come down more slowly."
    ),
    begin=0.1,
)
def never_explores(evidence: Evidence, epsilon: float) -> Values | None:
    """All episodes returned the same, and ε has come down below this."""
    alike = evidence.episodes >= ALIKE and evidence.lowest == evidence.highest
    if not (alike and evidence.epsilon < epsilon):
        return None
    return {
        "episodes": evidence.episodes,
        "value": f"{evidence.highest:g}",
        "percent": f"{100 * evidence.epsilon:.0f}",
    }


def _fallen(evidence: Evidence, share: float) -> Values | None:
    """Less than this share of what had been gained is left, by the mean of a few evaluations."""
    history = evidence.history
    if len(history) <= FEW:
        return None
    returns = [one.mean_return for one in history]
    means = [sum(returns[i : i + FEW]) / FEW for i in range(len(returns) - FEW + 1)]
    best, now = max(means), means[-1]
    at = means.index(best)
    before = min(returns[: at + 1])  # what it had learned is what it had gained until then
    compared = [*history[at : at + FEW], *history[-FEW:]]
    certain = best - now > SURE * math.sqrt(sum(one.standard_error**2 for one in compared)) / FEW
    if certain and best > before and now < before + share * (best - before):
        return {"best": f"{best:.3g}", "now": f"{now:.3g}"}
    return None


@diagnosis(
    "forgets",
    N_(
        "Forgets: three evaluations in a row had a mean of {best}, the last three one of {now}: less than half of the "
        "gain. Try a smaller learning rate, a larger buffer, or a target network that changes more slowly."
    ),
    begin=0.5,
    end=0.9,
)
def forgets(evidence: Evidence, share: float) -> Values | None:
    """A network has less than this share of its gain left."""
    return None if evidence.tabular else _fallen(evidence, share)


@diagnosis(
    "wavers",
    N_(
        "Wavers: three evaluations in a row had a mean of {best}, the last three one of {now}. Large corrections make "
        "the values of a table swing. Try a smaller learning rate."
    ),
    begin=0.5,
    end=0.9,
)
def wavers(evidence: Evidence, share: float) -> Values | None:
    """A table has less than this share of its gain left."""
    return _fallen(evidence, share) if evidence.tabular else None


DIAGNOSES: tuple[Diagnosis[Evidence], ...] = (q_diverges, never_explores, forgets, wavers)

#: What is found of the environment, not of the training.
NOTES = {
    "begun anew": N_(
        "This environment does not repeat itself, so the episode under way could not be taken up at step {step}: "
        "a new one was begun."
    ),
}
