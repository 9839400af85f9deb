"""What can be said of a training from its numbers alone; the words stand in ``spec.py``."""

import numpy as np

from core.algorithms.word2vec.evaluate import unit
from core.algorithms.word2vec.state import State

#: A word of Chinese has one to four letters; where the running words are longer on the mean, they are no words.
GLUED = 5.0
#: Mean cosine of any two words from which on all point the same way; over when below the second.
CROWDED, CROWDED_OVER = 0.8, 0.7
#: The loss fell by less than this share since the start although half of the run is over.
STALLED = 0.02
#: Words that occur in a text so rarely on the mean leave each vector nearly where it began.
THIN = 12
LOOKED = 400


def diagnose(state: State) -> dict[str, dict[str, object]]:
    """Diagnoses that begin to hold with the newest measurement, with what to say of them; ``state.active`` follows."""
    found: dict[str, dict[str, object]] = {}
    words, counts = state.vocabulary.words, state.vocabulary.counts
    if state.text.corpus.chinese and state.step == 0:
        tally = state.text.tally
        length = sum(len(word) * n for word, n in tally.items()) / sum(tally.values())
        if length > GLUED:
            found["glued words"] = {"word": max(tally, key=len)[:12], "length": f"{length:.1f}"}
    if state.step == 0 and counts.sum() < THIN * len(words):
        found["little text"] = {"mean": f"{counts.sum() / len(words):.0f}"}
    vectors = unit(state.engine.vectors[:LOOKED])
    alike = float((np.square(vectors.sum(axis=0)).sum() - len(vectors)) / (len(vectors) * (len(vectors) - 1)))
    if state.step >= state.end // 3 and alike > (CROWDED_OVER if "crowded" in state.active else CROWDED):
        found["crowded"] = {"cosine": f"{alike:.2f}"}
    start, now = state.history[0][1], state.history[-1][1]
    if state.step >= state.end // 2 and now > (1 - STALLED) * start:
        found["stalled"] = {"loss": f"{now:.3g}"}
    told = {name: reasons for name, reasons in found.items() if name not in state.active}
    state.active = set(found) | (state.active & {"glued words", "little text"})
    return told
