"""What can be wrong with a text or with the training on it, found from their numbers alone."""

from dataclasses import dataclass

from core.metrics import Diagnosis, Values, diagnosis
from core.words import N_

#: Letters that are shown of a word.
SHOWN = 12


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the diagnoses are made from.

    Attributes:
        step, end: steps made, and the last of the run.
        chinese: whether the text is Chinese.
        mean_letters, longest: letters of a running word on the mean, and the longest of the words.
        mean_count: how often one occurs in the text, on the mean.
        similarity: mean cosine of any two frequent words.
        first_loss, loss: measured first, and last.
    """

    step: int
    end: int
    chinese: bool
    mean_letters: float
    longest: str
    mean_count: float
    similarity: float
    first_loss: float
    loss: float


@diagnosis(
    "glued words",
    N_(
        "Glued words: this Chinese text was cut at punctuation only, so that whole clauses such as {word}… are taken "
        "for words, {length} letters on the mean. Cut it by jieba."
    ),
    begin=5.0,
)
def glued_words(evidence: Evidence, letters: float) -> Values | None:
    """The running words of a Chinese text, which have one to four letters, have more than this on the mean."""
    if evidence.chinese and evidence.mean_letters > letters:
        return {"word": evidence.longest[:SHOWN], "length": f"{evidence.mean_letters:.1f}"}
    return None


@diagnosis(
    "little text",
    N_(
        "Little text: a word occurs {mean} times on the mean, so most vectors hardly leave where they began. "
        "Take more text, more epochs, or a higher minimum count."
    ),
    begin=12.0,
)
def little_text(evidence: Evidence, times: float) -> Values | None:
    """Words occur less often than this on the mean, which leaves each vector nearly where it began."""
    return {"mean": f"{evidence.mean_count:.0f}"} if evidence.mean_count < times else None


@diagnosis(
    "crowded",
    N_(
        "Crowded: any two frequent words have a cosine of {cosine} on the mean, so everything seems alike. "
        "Try more negatives, more epochs, or more text."
    ),
    begin=0.8,
    end=0.7,
)
def crowded(evidence: Evidence, cosine: float) -> Values | None:
    """After a third of the run any two words have a cosine above this on the mean: all point the same way."""
    found = evidence.step >= evidence.end // 3 and evidence.similarity > cosine
    return {"cosine": f"{evidence.similarity:.2f}"} if found else None


@diagnosis(
    "stalled",
    N_(
        "Stalled: half of the run is over and the loss is still {loss}, as it was at the start. "
        "Try a larger learning rate or more epochs."
    ),
    begin=0.98,
)
def stalled(evidence: Evidence, share: float) -> Values | None:
    """Half of the run is over and the loss is still above this share of what it was."""
    flat = evidence.step >= evidence.end // 2 and evidence.loss > share * evidence.first_loss
    return {"loss": f"{evidence.loss:.3g}"} if flat else None


DIAGNOSES: tuple[Diagnosis[Evidence], ...] = (glued_words, little_text, crowded, stalled)

#: What is found of the words in the settings, not of the training.
NOTES = {
    "unknown pair": N_(
        "Pairs: {word} is not among the known words, so {pair} cannot be followed. Nearest in spelling: {near}."
    ),
    "unlike anything": N_(
        "Pairs: {word} is not among the known words, so {pair} cannot be followed; none is spelled like it."
    ),
}
