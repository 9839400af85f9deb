"""The declaration of Word2Vec: panels, presets that are claims, metrics, diagnoses. No gensim, no torch."""

from core import metrics
from core.algorithms.word2vec.config import Word2VecConfig
from core.algorithms.word2vec.diagnoses import DIAGNOSES, NOTES
from core.algorithms.word2vec.requests import WordRequest
from core.experiment import Experiment, Metric, Panel, Paper, Preset, Probe
from core.words import N_

_VIEWS, _MATRICES = "core.algorithms.word2vec.views", "core.algorithms.word2vec.matrices"
_ENGLISH = {"corpus": ("news", "wikipedia", "own", "abc", "wikipedia_abc", "text8")}
_SGNS = {"engine": ("sgns",)}

PANELS = (
    Panel(
        "map",
        N_("Map of the words"),
        N_("Frequent words, made two numbers of many: those used alike come to stand together."),
        view=f"{_VIEWS}:map2d",
        size="hero",
    ),
    Panel(
        "loss",
        N_("Loss"),
        N_("How surprised the model is by true neighbours, and how taken in by random words."),
        metrics=("train/loss",),
        size="side",
    ),
    Panel(
        "people",
        N_("As people see it"),
        N_("Rank correlation of cosines with how people rated pairs of words: 1 is full agreement, 0 is none."),
        metrics=("people/wordsim", "people/simlex"),
        size="side",
        shown_if=_ENGLISH,
    ),
    Panel(
        "neighbours",
        N_("Nearest neighbours"),
        N_("Under each word those whose vectors point most nearly the same way; type your own under Words shown."),
        view=f"{_VIEWS}:neighbours",
    ),
    Panel(
        "neighbour_history",
        N_("Neighbours over time"),
        N_("The words nearest to the first word shown, over the training: which came, which rose and which left."),
        view=f"{_VIEWS}:neighbour_history",
    ),
    Panel(
        "analogy",
        N_("a − b + c"),
        N_("The words nearest to the sum of three vectors; the three themselves are left out."),
        view=f"{_VIEWS}:analogy",
    ),
    Panel(
        "cosine",
        N_("Pairs of words"),
        N_("Cosine of the angle between two words: 1 the same direction, 0 nothing in common."),
        metrics=("cosine/*",),
    ),
    Panel(
        "matrices",
        N_("Both matrices"),
        N_("A row a word: as a centre, as a neighbour, and the last step's gradient of both; red above 0, blue below."),
        view=f"{_MATRICES}:matrices",
        shown_if=_SGNS,
    ),
    Panel(
        "pairs",
        N_("Pulled and pushed"),
        N_("Pairs of the last step: a true neighbour is pulled to its centre, random words are pushed away from it."),
        view=f"{_MATRICES}:pairs",
        shown_if=_SGNS,
    ),
    Panel(
        "analogies",
        N_("Analogies answered"),
        N_("Share of the questions-words analogies that are right: a few after each epoch, all at the end."),
        metrics=("analogy/short", "analogy/all"),
        shown_if=_ENGLISH,
    ),
    Panel(
        "sections",
        N_("Analogies by section"),
        N_("Where the share comes from: grammar is often easier than knowledge of the world."),
        view=f"{_VIEWS}:sections",
        shown_if=_ENGLISH,
    ),
    Panel(
        "coverage",
        N_("What can be judged"),
        N_("Only pairs and questions whose words all occur in the text count; the others are left out."),
        view=f"{_VIEWS}:coverage",
        size="folded",
        shown_if=_ENGLISH,
    ),
    Panel(
        "map3d",
        N_("Map in space"),
        N_("The same words in three dimensions; drag to rotate."),
        view=f"{_VIEWS}:map3d",
        size="folded",
    ),
    Panel(
        "rate",
        N_("Learning rate"),
        N_("It comes down evenly over the whole run, a little at every step."),
        metrics=("train/rate",),
        size="folded",
    ),
)

METRICS = (
    Metric(
        "train/loss", N_("Loss"), N_("Mean loss of a guess, on 512 places of the text with fixed random words."), "low"
    ),
    Metric("train/rate", N_("Learning rate"), N_("Length of a step now.")),
    Metric(
        "people/wordsim", N_("WordSim-353"), N_("Rank correlation with how related people found two words."), "high"
    ),
    Metric("people/simlex", N_("SimLex-999"), N_("Rank correlation with how alike people found two words."), "high"),
    Metric("analogy/short", N_("Analogies, a sample"), N_("Share right of at most 50 questions of a section."), "high"),
    Metric("analogy/all", N_("Analogies, all"), N_("Share right of all questions whose words are known."), "high"),
    Metric("cosine/*", N_("Cosine of a pair"), N_("Cosine of the angle between the vectors of two words.")),
)

#: The run ends after its last epoch, long before this.
_END = {"steps": 1_000_000}
_GRAMMAR = {"corpus": "grammar", "size": 20, "window": 3, "skipped": 0, "shown": 80}

PRESETS = (
    Preset(
        "wikipedia",
        N_("Wikipedia"),
        N_("106 articles are enough to see likeness much as people do: WordSim-353 reaches at least 0.35."),
        {},
        _END,
    ),
    Preset(
        "cbow",
        N_("Wikipedia by CBOW"),
        N_(
            "On so little text CBOW is several times as fast and sees less: at least 0.08 below skip-gram on "
            "WordSim-353."
        ),
        {"method": "cbow"},
        _END,
    ),
    Preset(
        "narrow",
        N_("A narrow window"),
        N_(
            "Only two words to either side: neighbours are of the same kind, and WordSim-353, on topics, stays "
            "below 0.36."
        ),
        {"window": 2},
        _END,
    ),
    Preset(
        "wide",
        N_("A wide window"),
        N_("Fifteen words to either side: neighbours share a topic, and WordSim-353 reaches at least 0.48."),
        {"window": 15},
        _END,
    ),
    Preset(
        "whole",
        N_("Without subsampling"),
        N_(
            "Every the and of is trained on: an epoch has at least 1.3 times the words, for at most 0.03 on "
            "WordSim-353."
        ),
        {"sample": 0.0},
        _END,
    ),
    Preset(
        "more",
        N_("More text"),
        N_("Wikipedia with the ABC news: at least 1.5 times as many analogies are right as with Wikipedia alone."),
        {"corpus": "wikipedia_abc"},
        _END,
        download=1.5,
    ),
    Preset(
        "tree",
        N_("Down a tree"),
        N_(
            "Hierarchical softmax instead of random words: on so little text it does better, at least 0.05 on "
            "WordSim-353."
        ),
        {"output": "hierarchical"},
        _END,
    ),
    Preset(
        "grammar",
        N_("A small grammar"),
        N_("Nobody names the kinds of words, yet for at least 95 % the nearest neighbour is of the same kind."),
        _GRAMMAR | {"epochs": 60},
        _END,
    ),
    Preset(
        "written",
        N_("Written out, step by step"),
        N_("The same in PyTorch, a batch of pairs at a time, every number in sight: again at least 95 %."),
        _GRAMMAR | {"engine": "sgns", "epochs": 5, "lr": 0.05, "sample": 1e-2},
        _END,
    ),
    Preset(
        "hongloumeng",
        N_("Dream of the Red Chamber"),
        N_(
            "Forty chapters of 红楼梦, cut by jieba: the word nearest to 黛玉 is 宝钗, to 老太太 it is 太太, and 钱 is "
            "among the three nearest to 银子."
        ),
        {"corpus": "hongloumeng", "skipped": 60},
        _END,
        opens_in="zh",
    ),
    Preset(
        "glued",
        N_("Chinese cut as if it were English"),
        N_("Whole clauses are taken for words: a note points it out, and 宝玉 has lost most of its places."),
        {"corpus": "hongloumeng", "cut": "words", "min_count": 2, "epochs": 3},
        _END,
    ),
)

PROBES = (
    Probe(
        "lookup",
        N_("Look up words"),
        N_(
            "Write a word, or a sum such as king - man + woman: here are the words nearest to it. "
            "Click one to go on from there."
        ),
        request=WordRequest,
        view=f"{_VIEWS}:query_answer",
        text="text",
        click="word",
    ),
)

experiment = Experiment(
    slug="word2vec",
    title=N_("Word2Vec"),
    family=N_("Sequences"),
    tagline=N_("A word is known by the company it keeps: vectors learned from nothing but neighbours."),
    paper=Paper(
        "Distributed representations of words and phrases and their compositionality",
        "T. Mikolov, I. Sutskever, K. Chen, G. Corrado, J. Dean",
        2013,
        "https://arxiv.org/abs/1310.4546",
    ),
    config=Word2VecConfig,
    panels=PANELS,
    presets=PRESETS,
    metrics=METRICS,
    diagnoses=metrics.sentences(DIAGNOSES) | NOTES,
    program="core.algorithms.word2vec",
    source=("model", "train", "sgns_engine", "gensim_engine"),
    place=5,
    snapshot_budget=0.015,
    files=N_("Vectors"),
    probes=PROBES,
)
