"""What can be wrong with a training of deep networks, found from its numbers alone.

Degradation (He et al. 2015, section 1) is no over-fitting: the network is worse on the very data it trains on. Whether
gradients vanish or explode is another question, and is measured by itself.
"""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from core.metrics import Diagnosis, Values, diagnosis
from core.words import N_

#: Evaluations whose median is compared: one batch alone says little of its gradients.
WINDOW = 5
#: Steps before which no network is called worse: either has to get somewhere first.
WARM_UP = 100
#: Losses closer than this are alike.
LEAST_GAP = 0.1

#: A network by its name, and how sentences call it.
CALLED = {"residual": N_("residual"), "plain": N_("plain")}


class Evaluation(NamedTuple):
    """What was found after ``step`` updates; a network that does not train has a loss of 0 and ratios of 1.

    Attributes:
        residual_loss, plain_loss: means over the last training batches.
        residual_ratio, plain_ratio: the first block's gradient over the last one's.
        residual_growth, plain_growth: the largest spread of a block's output over the first block's.
    """

    step: int
    residual_loss: float
    plain_loss: float
    residual_ratio: float = 1.0
    plain_ratio: float = 1.0
    residual_growth: float = 1.0
    plain_growth: float = 1.0


class Evidence(NamedTuple):
    """What the diagnoses are made from: the last evaluations, the newest last, and the networks' layers."""

    history: Sequence[Evaluation]
    depth: int

    def recent(self, quantity: str) -> dict[str, float]:
        """The median of a quantity over the last evaluations, by network."""
        window = self.history[-WINDOW:]
        return {name: median(getattr(one, f"{name}_{quantity}") for one in window) for name in CALLED}


@diagnosis(
    "degradation",
    N_(
        "Degradation: {depth} layers, and the plain network's training loss is {plain}, the residual one's {residual}. "
        "It is not over-fitting: it cannot even learn its training data. Try shortcuts, or fewer layers."
    ),
    begin=3.0,
    end=2.0,
)
def degradation(evidence: Evidence, times: float) -> Values | None:
    """Where both train, the plain network's training loss is so many times the residual one's."""
    now = evidence.history[-1]
    if now.step < WARM_UP or not now.residual_loss or not now.plain_loss:
        return None
    if now.plain_loss < times * now.residual_loss or now.plain_loss - now.residual_loss < LEAST_GAP:
        return None
    return {"depth": evidence.depth, "plain": f"{now.plain_loss:.2g}", "residual": f"{now.residual_loss:.2g}"}


@diagnosis(
    "exploding gradients",
    N_(
        "Exploding gradients: in the {network} network the first block's is {times} times the last one's; it "
        "grows from block to block on its way back. Try shortcuts, or fewer layers."
    ),
    begin=100.0,
    end=30.0,
)
def exploding_gradients(evidence: Evidence, times: float) -> Values | None:
    """The first block's gradient is so many times the last one's."""
    ratios = evidence.recent("ratio")
    worst = max(ratios, key=lambda name: ratios[name])
    return {"network": CALLED[worst], "times": rounded(ratios[worst])} if ratios[worst] >= times else None


@diagnosis(
    "vanishing gradients by block",
    N_(
        "Vanishing gradients: in the {network} network the last block's is {times} times the first one's; it shrinks "
        "from block to block on its way back. Try shortcuts, batch norm, or fewer layers."
    ),
    begin=1e-2,
    end=3e-2,
)
def vanishing_gradients(evidence: Evidence, share: float) -> Values | None:
    """The first block's gradient is at most this share of the last one's."""
    ratios = evidence.recent("ratio")
    worst = min(ratios, key=lambda name: ratios[name])
    if ratios[worst] > share:
        return None
    return {"network": CALLED[worst], "times": rounded(1 / max(ratios[worst], 1e-12))}


@diagnosis(
    "exploding activations",
    N_(
        "Exploding activations: in the {network} network the numbers grow {times} times from the first block to the "
        "largest. Try batch norm, or fewer layers."
    ),
    begin=100.0,
    end=30.0,
)
def exploding_activations(evidence: Evidence, times: float) -> Values | None:
    """A block's output is spread so many times as wide as the first one's."""
    growth = evidence.recent("growth")
    worst = max(growth, key=lambda name: growth[name])
    return {"network": CALLED[worst], "times": rounded(growth[worst])} if growth[worst] >= times else None


def rounded(times: float) -> str:
    """A number to one digit: 1,000."""
    return f"{float(f'{times:.0e}'):,.0f}"


DIAGNOSES: tuple[Diagnosis[Evidence], ...] = (
    degradation,
    exploding_gradients,
    vanishing_gradients,
    exploding_activations,
)
