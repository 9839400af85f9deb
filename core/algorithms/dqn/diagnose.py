"""What may go wrong in learning from one's own actions, told by name: values that explode, no exploration, forgetting.

Pure functions of what was measured; the words and the remedies stand in ``spec.py``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: Q is impossible beyond so many times the largest discounted return there could be.
BEYOND = 5.0

#: Episodes that must have ended alike, and ε that must have come down, before exploration is said to be missing.
ALIKE, GREEDY = 20, 0.1


#: Of what had been gained: less is forgetting, and as much as the second is recovered. Both go by the mean of the last
#: few evaluations: one alone may be chance.
HALF, RECOVERED, FEW = 0.5, 0.9, 3

#: A fall is none within so many standard errors: where rewards are drawn, evaluations differ by themselves.
SURE = 3.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a look for diagnoses goes by.

    Attributes:
        largest_q: largest |Q| or target in the last update.
        largest_reward: largest |r| so far.
        gamma, longest: discount, and the longest episode in steps so far.
        epsilon: share of random actions now.
        tabular: whether values stand in a table.
        episodes: that ended so far.
        lowest, highest: their returns.
        evaluations: mean return of each evaluation so far.
        doubt: standard error of each of these means.
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
    evaluations: Sequence[float]
    doubt: Sequence[float]


def diagnose(seen: Evidence, active: set[str]) -> dict[str, Mapping[str, object]]:
    """Diagnoses that begin to hold, with the values of their sentences; ``active`` remembers those that hold."""
    found: dict[str, Mapping[str, object]] = {}
    bound = most(seen)
    if bound and seen.largest_q > BEYOND * bound:
        found["Q diverges"] = {"q": f"{seen.largest_q:.3g}", "bound": f"{bound:.3g}"}
    if seen.episodes >= ALIKE and seen.lowest == seen.highest and seen.epsilon < GREEDY:
        found["never explores"] = {
            "episodes": seen.episodes,
            "value": f"{seen.highest:g}",
            "percent": f"{100 * seen.epsilon:.0f}",
        }
    if len(seen.evaluations) > FEW:
        means = [sum(seen.evaluations[i : i + FEW]) / FEW for i in range(len(seen.evaluations) - FEW + 1)]
        best, now = max(means), means[-1]
        at = means.index(best)
        # What it had learned is what it had gained until then.
        before = min(seen.evaluations[: at + 1])
        name = "wavers" if seen.tabular else "forgets"
        share = RECOVERED if name in active else HALF  # said once, until it has come back
        errors = [*seen.doubt[at : at + FEW], *seen.doubt[-FEW:]]
        sure = best - now > SURE * math.sqrt(sum(error**2 for error in errors)) / FEW
        if sure and best > before and now < before + share * (best - before):
            found[name] = {"best": f"{best:.3g}", "now": f"{now:.3g}"}
    begun = {name: values for name, values in found.items() if name not in active}
    active.clear()
    active.update(found)
    return begun


def most(seen: Evidence) -> float:
    """The largest discounted return that rewards as large as those seen could add up to."""
    if seen.gamma < 1:
        return seen.largest_reward / (1 - seen.gamma)
    return seen.largest_reward * seen.longest
