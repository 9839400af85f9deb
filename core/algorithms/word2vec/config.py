"""The settings of Word2Vec, and which of them cannot go together. No gensim and no torch in here."""

import re
from typing import Literal, Self

from pydantic import model_validator

from core import fields
from core.algorithms.word2vec.requests import analogy_of
from core.experiment import Config, Setting
from core.field_kinds import UPLOADED_TEXT
from core.fields import MODEL, TRAINING, Group
from core.words import N_, Refusal

#: Corpora that are small enough for the SGNS engine.
SMALL = ("grammar", "news", "own")

#: Most words, or pairs of words, in one setting.
MAX_ENTRIES = 8

TEXT, OUTPUT, WORDS = Group(N_("Text")), Group(N_("Output")), Group(N_("Words shown"))
GENSIM = {"engine": ("gensim",)}


class Word2VecConfig(Config):
    """Settings of the vectors, of their training, and of what is shown."""

    corpus: Literal["grammar", "news", "wikipedia", "own", "hongloumeng", "abc", "wikipedia_abc", "text8"] = (
        TEXT.setting(
            "wikipedia",
            labels={
                "grammar": N_("A small grammar (kinds known)"),
                "news": N_("300 news stories"),
                "wikipedia": N_("106 articles of Wikipedia"),
                "own": N_("A text of your own"),
                "hongloumeng": N_("红楼梦, 40 chapters (Chinese)"),
                "abc": N_("ABC news (1.5 MB to fetch)"),
                "wikipedia_abc": N_("Wikipedia and ABC news (1.5 MB to fetch)"),
                "text8": N_("text8, 17 million words (31 MB to fetch)"),
            },
        ).described(
            N_("Corpus"), N_("The text whose words are learned, from nothing but which words stand near which.")
        )
    )
    text: str = Setting(
        "",
        N_("Your text"),
        N_("UTF-8, English or Chinese, up to 20 MB; pasted, or a file."),
        group=TEXT.title,
        shown_if={"corpus": ("own",)},
        kind=UPLOADED_TEXT,
        max_length=32,
    )
    cut: Literal["auto", "words", "jieba"] = TEXT.setting(
        "auto",
        shown_if={"corpus": ("own", "hongloumeng")},
        labels={"auto": N_("As the text needs"), "words": N_("Runs of letters"), "jieba": N_("jieba (Chinese)")},
    ).described(
        N_("Cut into words"),
        N_("Runs of letters are words in English; Chinese has no spaces, and jieba finds its words by a dictionary."),
    )
    sentences: int = TEXT.setting(4000, scale="log", shown_if={"corpus": ("grammar",)}, ge=100, le=100_000).described(
        N_("Sentences"), N_("How many sentences the grammar makes.")
    )
    min_count: int = TEXT.setting(5, scale="log", ge=1, le=1000).described(
        N_("Minimum count"), N_("A word that occurs less often is left out: too little is known of it.")
    )

    engine: Literal["gensim", "sgns"] = MODEL.setting(
        "gensim", labels={"gensim": N_("gensim"), "sgns": N_("PyTorch (SGNS)")}
    ).described(
        N_("Engine"),
        N_("gensim's fast C, or skip-gram with negative sampling (SGNS) in PyTorch: slow, but every number is shown."),
    )
    method: Literal["skip_gram", "cbow"] = MODEL.setting(
        "skip_gram", shown_if=GENSIM, labels={"skip_gram": N_("Skip-gram"), "cbow": N_("CBOW")}
    ).described(
        N_("Method"),
        N_("Skip-gram guesses each neighbour from the word; CBOW guesses the word from all its neighbours at once."),
    )
    size: int = MODEL.setting(100, scale="log", ge=2, le=400).described(N_("Size"), N_("Numbers in a word's vector."))
    window: int = MODEL.setting(5, ge=1, le=20).described(
        N_("Window"),
        N_("How many words to either side count as neighbours: few for words of a kind, many for words of a topic."),
    )
    shrink: bool = MODEL.setting(True).described(
        N_("Shrinking window"),
        N_("Draw the width anew for each word, from 1 up to the window: near neighbours then count for more."),
    )

    output: Literal["negative", "hierarchical"] = OUTPUT.setting(
        "negative",
        shown_if=GENSIM,
        labels={"negative": N_("Negative sampling"), "hierarchical": N_("Hierarchical softmax")},
    ).described(
        N_("Output"),
        N_("How a guess over all words is made cheap: against a few random words, or down a binary tree."),
    )
    negative: int = OUTPUT.setting(5, shown_if={"output": ("negative",)}, ge=1, le=20).described(
        N_("Negatives"), N_("Random words that each true neighbour is distinguished from.")
    )
    exponent: float = OUTPUT.setting(0.75, step=0.05, shown_if={"output": ("negative",)}, ge=-1, le=1).described(
        N_("Exponent"), N_("Random words come as often as count to this power: 1 as in the text, 0 all alike.")
    )

    lr: float = fields.learning_rate(
        0.025,
        live=False,
        ge=1e-5,
        description=N_("Length of a step at the beginning; it comes down evenly over the whole run."),
    )
    lr_end: float = fields.learning_rate(
        1e-4, live=False, title=N_("Last rate"), description=N_("Length of a step at the end of the last epoch.")
    )
    epochs: int = TRAINING.setting(10, scale="log", ge=1, le=1000).described(
        N_("Epochs"), N_("Passes over the text; the run ends after the last.")
    )
    sample: float = TRAINING.setting(1e-3, scale="log", ge=0, le=0.1).described(
        N_("Subsampling"),
        N_("Words with more than this share of the text are left out at random, the more the more frequent; 0: none."),
    )
    batch_size: int = fields.batch_size(
        64,
        live=False,
        description=N_("Pairs of neighbours used in one step."),
        shown_if={"engine": ("sgns",)},
    )
    threads: int = TRAINING.setting(1, shown_if=GENSIM, ge=1, le=16).described(
        N_("Threads"),
        N_("Only with 1 does the same seed give the same vectors: several write into them at once, in no fixed order."),
    )

    words: str = WORDS.setting("", live=True, max_length=200).described(
        N_("Neighbours of"),
        N_("Words whose nearest neighbours are shown, with commas between them; empty for a few of the text's own."),
    )
    analogy: str = WORDS.setting("", live=True, max_length=120).described(
        N_("a − b + c"), N_("Three words such as: king - man + woman. Empty for an example.")
    )
    pairs: str = WORDS.setting("", max_length=200).described(
        N_("Pairs"),
        N_("Pairs of words to follow, such as: cat dog, cat house. Empty for a few of the text's own."),
    )
    shown: int = WORDS.setting(60, live=True, step=10, ge=20, le=300).described(
        N_("Words on the map"), N_("How many of the most frequent words the maps show.")
    )
    skipped: int = WORDS.setting(60, live=True, step=10, ge=0, le=200).described(
        N_("Leave out"), N_("So many of the very most frequent words stay off the map: the, of, and their like.")
    )
    projection: Literal["pca", "tsne"] = WORDS.setting(
        "pca", live=True, labels={"pca": N_("PCA"), "tsne": N_("t-SNE")}
    ).described(
        N_("Map by"),
        N_("PCA keeps the directions in which words differ most; t-SNE keeps neighbours together and is slower."),
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        """Refuse what cannot go together."""
        if self.lr_end > self.lr:
            raise Refusal(
                "lr_end",
                N_("Last rate: it is at most the learning rate, {lr}; it was {end}."),
                lr=self.lr,
                end=self.lr_end,
            )
        if self.engine == "sgns":
            if self.corpus not in SMALL:
                raise Refusal("engine", N_("Engine: PyTorch is for small texts: the grammar, the news or your own."))
            if self.method != "skip_gram" or self.output != "negative":
                raise Refusal("engine", N_("Engine: PyTorch has skip-gram with negative sampling alone."))
        if self.corpus == "own" and not self.text:
            raise Refusal("text", N_("Your text: paste one or choose a file; there is none yet."))
        for name, title in (("words", N_("Neighbours of")), ("pairs", N_("Pairs"))):
            if len(entries(getattr(self, name))) > MAX_ENTRIES:
                raise Refusal(name, N_("{title}: at most {most}."), title=title, most=MAX_ENTRIES)
        if self.analogy.strip() and analogy_of(self.analogy) is None:
            raise Refusal(
                "analogy", N_("a − b + c: write three words so: king - man + woman; it was {text}."), text=self.analogy
            )
        if any(len(pair.split()) != 2 for pair in entries(self.pairs)):
            raise Refusal(
                "pairs", N_("Pairs: two words each, with commas between the pairs, such as: cat dog, cat house.")
            )
        return self


def entries(text: str) -> list[str]:
    """What stands between commas (Chinese ones as well), in lower case, nothing twice."""
    found = (" ".join(entry.split()).lower() for entry in re.split("[,，、;；]", text))
    return list(dict.fromkeys(entry for entry in found if entry))
