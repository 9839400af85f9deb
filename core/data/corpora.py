"""Texts to learn words from: which there are, where they come from, and how they are cut into words.

A corpus is a list of passages (an article, a story, a paragraph), each a list of words in lower case; a window never
reaches from one passage into another. The rest of the work, and every number, is the algorithm's. Cutting takes
seconds, so the words are kept in the cache folder and read from there the next time.
"""

import bz2
import hashlib
import importlib.util
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from core.data import cache, grammar, uploads
from core.data.cache import Source
from core.words import N_, Refusal

#: Words of a passage at the most: a longer one is cut. gensim drops what lies beyond 10,000 of a batch.
PASSAGE = 1000

#: An article of fewer words is no article but a redirection or a stub.
_STUB = 50

_WORD = re.compile(r"[^\W\d_]+")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")
_SENTENCE = re.compile("(?<=[。！？；])")

#: A text of which more than this share of the letters is Chinese is cut by jieba.
_HAN_SHARE = 0.2

_NLTK = "https://raw.githubusercontent.com/nltk/nltk_data/gh-pages/packages/corpora/abc.zip"
_TEXT8 = ("https://mattmahoney.net/dc/text8.zip", "http://mattmahoney.net/dc/text8.zip")


@dataclass(frozen=True, slots=True)
class Published:
    """A text that is downloaded on demand, and its encoding."""

    source: Source
    encoding: str = "utf-8"


#: What is downloaded, by the corpus that it is part of.
PUBLISHED: Mapping[str, tuple[Published, ...]] = {
    "abc": (
        Published(
            Source(
                "text/rural.txt",
                "sha256:7e33b719e74851381338c899b4cf1cec2d1fe2abd95ded44d1c7cf2c10ce40e3",
                (_NLTK,),
                "abc/rural.txt",
            )
        ),
        Published(
            Source(
                "text/science.txt",
                "sha256:a4c23cb404b3e74550ad5d6f70adb3067889b669613bcfcbdfe7dde6b01f8062",
                (_NLTK,),
                "abc/science.txt",
            ),
            "latin-1",
        ),
    ),
    "text8": (Published(Source("text/text8", "md5:3bea1919949baf155f99411df5fada7e", _TEXT8, "text8")),),
}

#: Chapters 1 to 40 of 红楼梦 (Dream of the Red Chamber) by 曹雪芹, as :mod:`core.data.embed` writes them.
HONGLOUMENG = Path(__file__).parents[2] / "assets" / "data" / "hongloumeng-1-40.txt.bz2"


@dataclass(frozen=True)
class Corpus:
    """Passages of words.

    Attributes:
        sentences: the passages, in order; none is longer than :data:`PASSAGE` or shorter than 2 words.
        chinese: whether most of its letters are Chinese.
        classes: what kind of word a word is, where the corpus was made so that this is known.
    """

    name: str
    sentences: list[list[str]]
    chinese: bool = False
    classes: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def words(self) -> int:
        """Running words."""
        return sum(map(len, self.sentences))

    @cached_property
    def word_counts(self) -> Mapping[str, int]:
        """How often each word occurs, in the order of first occurrence; counted once, which may take seconds."""
        found: Counter[str] = Counter()
        for i, sentence in enumerate(self.sentences):
            found.update(sentence)
            if i % 1000 == 0:
                cache.report_progress(cache.READING, i / len(self.sentences))
        return found


def load(
    name: str,
    *,
    cut: str = "auto",
    text: str = "",
    sentences: int = 2000,
    seed: int = 0,
    published: Mapping[str, tuple[Published, ...]] = PUBLISHED,
) -> Corpus:
    """A corpus by its name in the settings.

    Args:
        cut: how texts are cut into words: ``"words"`` (runs of letters), ``"jieba"``, or ``"auto"`` by the letters.
        text: name of a kept text (:mod:`core.data.uploads`), for ``"own"``.
        sentences: how many the grammar makes, with ``seed``.
        published: where the corpora that are downloaded come from.

    Raises:
        Refusal: the text is not here and cannot be downloaded.
    """
    cache.report_progress(cache.READING, 0.0)
    if name == "grammar":
        return Corpus(name, grammar.sentences(sentences, seed), classes=grammar.CLASSES)
    if name == "text8":
        (big,) = _downloaded(published[name])
        words = big.split()
        return Corpus(name, [words[i : i + PASSAGE] for i in range(0, len(words), PASSAGE)])
    if name == "own" and not text:
        raise Refusal("text", N_("Your text: paste one or choose a file; there is none yet."))
    file = cache.folder() / "text" / "words" / f"{name}-{cut}{text}.txt"
    found = _read(file)
    if found is None:
        passages = list(_passages(name, text, published))
        chinese = _chinese(passages)
        found = list(_cut(passages, "jieba" if cut == "jieba" or (cut == "auto" and chinese) else "words"))
        found = [words for words in found if words]
        body = "\n".join(" ".join(words) for words in found).encode("utf-8")
        cache.write_whole(file, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    sentences_of = [words[i : i + PASSAGE] for words in found for i in range(0, len(words), PASSAGE)]
    return Corpus(name, [words for words in sentences_of if len(words) > 1], _chinese(map("".join, found[:200])))


def words_of(text: str) -> list[str]:
    """Runs of letters, in lower case: what a word is in English, and wrong for Chinese, which has no spaces."""
    return [word.lower() for word in _WORD.findall(text)]


def chinese_words_of(text: str) -> list[str]:
    """Words as jieba finds them: by a dictionary, and by a hidden Markov model where that has none."""
    import jieba

    if not jieba.dt.initialized:
        jieba.setLogLevel("WARNING")
        with suppress(OSError):
            cache.folder().mkdir(parents=True, exist_ok=True)
        if os.access(cache.folder(), os.W_OK):
            jieba.dt.tmp_dir = str(cache.folder())
    return [word.lower() for word in jieba.lcut(text) if _WORD.fullmatch(word)]


def packaged(file: str) -> Path:
    """A file among gensim's own test data, found without importing gensim."""
    spec = importlib.util.find_spec("gensim")
    assert spec is not None and spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "test" / "test_data" / file


def _chinese(passages: Iterable[str]) -> bool:
    letters = han = 0
    for passage in passages:
        letters += sum(map(len, _WORD.findall(passage)))
        han += len(_HAN.findall(passage))
        if letters > 100_000:
            break
    return han > _HAN_SHARE * max(letters, 1)


def _passages(name: str, text: str, published: Mapping[str, tuple[Published, ...]]) -> Iterator[str]:
    """The corpus as running text: an article, a story or a paragraph each."""
    if name == "news":
        yield from packaged("lee_background.cor").read_text(encoding="utf-8").splitlines()
    if name in ("wikipedia", "wikipedia_abc"):
        yield from _articles()
    if name in ("abc", "wikipedia_abc"):
        for found in _downloaded(published["abc"]):
            yield from found.splitlines()
    if name == "hongloumeng":
        yield from bz2.decompress(HONGLOUMENG.read_bytes()).decode("utf-8").splitlines()
    if name == "own":
        yield from uploads.read(text).splitlines()


def _articles() -> Iterator[str]:
    """106 articles of the English Wikipedia, their markup taken off."""
    from gensim.corpora.wikicorpus import extract_pages, filter_wiki

    dump = packaged("enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2")
    seen = 0
    with bz2.open(dump) as pages:
        for _, markup, _ in extract_pages(pages, ("0",)):
            text = filter_wiki(markup)
            if len(_WORD.findall(text)) >= _STUB:
                seen += 1
                cache.report_progress(cache.READING, min(seen / 106, 1.0))
                yield text


def _cut(passages: list[str], how: str) -> Iterator[list[str]]:
    words = chinese_words_of if how == "jieba" else words_of
    total, done, due = max(1, sum(map(len, passages))), 0, 0
    for passage in passages:
        found: list[str] = []
        for sentence in _SENTENCE.split(passage):  # a whole book may be one line, and one wants to stop in the midst
            if done >= due:
                cache.report_progress(cache.READING, done / total)
                due = done + 20_000
            found += words(sentence)
            done += len(sentence)
        yield found


def _downloaded(published: tuple[Published, ...]) -> list[str]:
    """The files of a corpus.

    Raises:
        Refusal: one is not here and cannot be downloaded.
    """
    return [
        cache.content(one.source, field="corpus", instead=N_("106 articles of Wikipedia")).decode(one.encoding)
        for one in published
    ]


def _read(path: Path) -> list[list[str]] | None:
    """Words cut earlier; ``None`` where there are none or the file was changed."""
    try:
        head, _, body = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    if hashlib.sha256(body).hexdigest().encode() != head:
        return None
    return [line.split(" ") for line in body.decode("utf-8").splitlines()]
