"""Everything a training of word vectors needs to go on, and what it is judged by."""

import copy
from typing import Any

import numpy as np

from core.algorithms.word2vec.company import Company
from core.algorithms.word2vec.config import Word2VecConfig
from core.algorithms.word2vec.driven import Driven
from core.algorithms.word2vec.evaluate import ENOUGH, Judged, Loss, Questions, judged, questions
from core.algorithms.word2vec.text import Text
from core.algorithms.word2vec.typed import followed
from core.algorithms.word2vec.written import Written
from core.experiment import Diverged

#: A stream of random numbers of its own for the pairs that the loss is measured on.
SAMPLE = 404


class State:
    """A training between two steps.

    Attributes:
        step: steps made: stretches of text, or batches of pairs.
        end: steps of the whole run; the rate comes down until there.
        engine: what trains, with the vocabulary and both matrices.
        judged, questions: what people said, as far as the vocabulary knows the words; empty for a made or Chinese text.
        right: section by section, (right, asked) of the last analogies; of all questions where ``complete``.
        followed: pairs of known words whose cosines are told.
        history: (step, loss) of each measurement.
        company: who was nearest to the first word that is looked at.
        active: diagnoses that hold at the moment, so that each is told once.
    """

    def __init__(self, config: Word2VecConfig, text: Text, device: str) -> None:
        self.config, self.text = config, text
        self.engine: Driven | Written = (
            Driven(config, text) if config.engine == "gensim" else Written(config, text, device)
        )
        self.step, self.end = 0, config.epochs * self.engine.per_epoch
        self.loss = Loss(config, text, self.engine, np.random.default_rng([config.seed, SAMPLE]))
        self.judged: list[Judged] = []
        self.questions: list[Questions] = []
        if not (text.corpus.chinese or text.corpus.classes):
            self.judged = [
                found for name in ("wordsim", "simlex") if len((found := judged(name, self.vocabulary)).first) >= ENOUGH
            ]
            asked = questions(self.vocabulary)
            self.questions = asked if sum(len(q.places) for q in asked) >= ENOUGH else []
        self.right: list[tuple[int, int]] = []
        self.complete = False
        self.followed = followed(config, self.vocabulary)
        self.history: list[tuple[int, float]] = []
        self.company = Company()
        self.active: set[str] = set()
        self.view: Any = None  # core.algorithms.word2vec.observe keeps what it drew last here

    @property
    def vocabulary(self) -> Any:
        """The words that are learned."""
        return self.engine.vocabulary

    @property
    def epoch(self) -> float:
        """Passes over the text so far."""
        return self.step / self.engine.per_epoch

    def turn(self, config: Word2VecConfig) -> None:
        """Take changed live settings: what is looked at."""
        self.config = config

    def state_dict(self) -> dict[str, Any]:
        """All of it, as a tree of dicts, lists, numbers, strings, arrays and tensors.

        Raises:
            Diverged: a number of the vectors is none any more.
        """
        if not np.isfinite(self.engine.vectors).all():
            raise Diverged("a vector is no longer made of numbers")
        return {
            "step": self.step,
            "engine": self.engine.state_dict(),
            "right": [list(pair) for pair in self.right],
            "complete": self.complete,
            "history": np.array(self.history, np.float64).reshape(-1, 2),
            "company": self.company.state_dict(),
            "active": sorted(self.active),
        }

    def load_state_dict(self, tree: dict[str, Any]) -> None:
        """Become the state that :meth:`state_dict` told of; the config must be the same but for live settings."""
        self.step = int(tree["step"])
        self.engine.load_state_dict(copy.deepcopy(tree["engine"]))
        self.right = [(int(right), int(asked)) for right, asked in tree["right"]]
        self.complete = bool(tree["complete"])
        self.history = [(int(step), float(loss)) for step, loss in np.asarray(tree["history"])]
        self.company.load_state_dict(tree["company"])
        self.active = set(tree["active"])
