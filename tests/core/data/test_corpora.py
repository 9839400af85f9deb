"""Texts: what there is of them, how they are cut into words, what is kept, and what is refused."""

import bz2
import hashlib
from pathlib import Path

import pytest

from core.data import cache, corpora, embed, grammar, uploads
from core.data.cache import Source
from core.settings import check
from core.words import Refusal
from tests.core.data.conftest import Publisher
from tests.core.data.test_cache import zipped


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with nothing in it."""
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_wikipedia_is_read_once_and_then_from_the_cache(folder, monkeypatch):
    first = corpora.load("wikipedia")
    assert 440_000 < first.words < 500_000 and not first.chinese
    assert max(map(len, first.sentences)) == corpora.PASSAGE and min(map(len, first.sentences)) >= 2
    monkeypatch.setattr(corpora, "_articles", lambda: pytest.fail("it was kept"))
    assert corpora.load("wikipedia").sentences == first.sentences
    (kept,) = (folder / "text" / "words").glob("wikipedia-*.txt")
    kept.write_bytes(kept.read_bytes()[:-100])
    with pytest.raises(pytest.fail.Exception):
        corpora.load("wikipedia")  # a file that was cut short is not taken for the whole


def test_the_news_are_300_stories(folder):
    found = corpora.load("news")
    assert len(found.sentences) == 300 and found.sentences[0][:3] == ["hundreds", "of", "people"]


def test_a_folder_that_cannot_be_written_is_no_hindrance(tmp_path, monkeypatch):
    (tmp_path / "data").write_text("a file where a folder should be")
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path / "data"))
    assert len(corpora.load("news").sentences) == 300


def test_words_are_runs_of_letters_of_any_language():
    assert corpora.words_of("Don't PANIC: naïve café, 42 x2") == ["don", "t", "panic", "naïve", "café", "x"]


def test_chinese_is_cut_by_a_dictionary_and_glued_by_an_english_rule(folder):
    text = "贾宝玉和林黛玉在大观园里读书。"
    assert corpora.words_of(text) == ["贾宝玉和林黛玉在大观园里读书"]
    found = corpora.chinese_words_of(text)
    assert "林黛玉" in found and "大观园" in found and "。" not in found


def test_a_book_on_one_line_is_cut_as_a_whole_and_says_how_far_it_is(folder):
    book = "".join(f"贾宝玉说：“第{n}回？”林黛玉笑了。" for n in range(3000))
    shares = []
    listening = cache.progress.set(lambda task, share: shares.append(share))
    try:
        found = corpora.load("own", text=uploads.keep(book.encode()))
    finally:
        cache.progress.reset(listening)
    assert [word for words in found.sentences for word in words] == corpora.chinese_words_of(book)
    assert len([share for share in shares if 0 < share < 1]) >= 2


@pytest.mark.parametrize(("cut", "words"), [("auto", 4), ("jieba", 4), ("words", 1)])
def test_the_letters_of_a_text_say_how_it_is_cut(folder, cut, words):
    name = uploads.keep(("我们喜欢读书\n" * 30).encode())
    found = corpora.load("own", cut=cut, text=name)
    assert found.chinese or not found.sentences
    assert not found.sentences or len(found.sentences[0]) in (words, words - 1)


def test_a_grammar_makes_sentences_of_its_kinds_and_repeats_itself():
    found = grammar.sentences(500, 3)
    assert found == grammar.sentences(500, 3) != grammar.sentences(500, 4)
    assert {word for words in found for word in words} >= set(grammar.CLASSES)
    rest = {word for words in found for word in words} - set(grammar.CLASSES)
    assert rest == {"the", "to", "from", "that", "and"}


def test_a_text_is_kept_once_under_its_hash(folder):
    name = uploads.keep(b"\xef\xbb\xbfhello\r\nworld " * 1)
    assert uploads.keep(b"hello\nworld ") == name and uploads.known(name)
    assert uploads.read(name) == "hello\nworld "
    assert len(list((folder / "uploads").iterdir())) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Your text: it is empty."),
        (b" \n\t", "Your text: it is empty."),
        ("Größe".encode("latin-1"), "Your text: it has to be UTF-8, and byte 3 is not."),
        (b"a" * 20_000_001, "Your text: at most 20 MB can be taken; this one has 20.0 MB."),
    ],
)
def test_a_text_that_cannot_be_used_is_refused_in_a_sentence(folder, content, said):
    with pytest.raises(Refusal) as refused:
        uploads.keep(content)
    assert str(refused.value).startswith(said) and refused.value.field == "text"
    assert not folder.exists()


@pytest.mark.parametrize("name", ["", "0" * 32, "../../secret", "A" * 32])
def test_a_text_that_is_not_here_is_refused(folder, name):
    with pytest.raises(Refusal, match=r"^Your text: (it is not kept|paste one)"):
        corpora.load("own", text=name)


def test_a_kept_text_that_was_changed_is_refused(folder):
    name = uploads.keep(b"one two three")
    (folder / "uploads" / f"{name}.txt").write_bytes(b"something else")
    with pytest.raises(Refusal, match="not kept on this machine"):
        uploads.read(name)


RURAL, SCIENCE = "the farm grows wheat\nand barley", "le café grows cold"


def published(publisher: Publisher, url: str = "", science: bytes = b"") -> dict[str, tuple[corpora.Published, ...]]:
    """Two small texts in an archive, as the ABC news are published; and where."""
    archive = zipped(**{"abc/rural.txt": RURAL.encode(), "abc/science.txt": science or SCIENCE.encode("latin-1")})
    publisher.offer("abc.zip", archive)
    found = []
    for name, text, encoding in (("rural", RURAL, "utf-8"), ("science", SCIENCE, "latin-1")):
        digest = "sha256:" + hashlib.sha256(text.encode(encoding)).hexdigest()
        address = (url or publisher.url) + "abc.zip"
        found.append(corpora.Published(Source(f"text/{name}.txt", digest, (address,), f"abc/{name}.txt"), encoding))
    return {"abc": tuple(found)}


def test_a_published_text_is_downloaded_and_cut_into_words(publisher: Publisher) -> None:
    where = published(publisher)
    first = corpora.load("abc", published=where)
    assert first.sentences == [["the", "farm", "grows", "wheat"], ["and", "barley"], ["le", "café", "grows", "cold"]]
    assert len(publisher.requests) == 2
    assert corpora.load("abc", published=where).sentences == first.sentences
    wikipedia = corpora.load("wikipedia_abc", published=where)
    assert wikipedia.sentences[-3:] == first.sentences and len(wikipedia.sentences) > 100
    assert len(publisher.requests) == 2, "from the cache"


@pytest.mark.parametrize("fault", ["no network", "wrong checksum", "truncated download"])
def test_a_text_that_cannot_be_had_is_refused_in_one_sentence(publisher: Publisher, fault: str) -> None:
    urls = {"no network": "http://127.0.0.1:9/", "truncated download": publisher.cut}
    where = published(publisher, urls.get(fault, ""), science=b"changed on its way" if "wrong" in fault else b"")
    with pytest.raises(Refusal) as refused:
        corpora.load("abc", published=where)
    assert refused.value.field == "corpus"
    file = "science.txt" if fault == "wrong checksum" else "rural.txt"
    assert str(refused.value) == (
        f"{file} is not on this machine and could not be fetched. Without a network, choose 106 articles of Wikipedia."
    )


@pytest.mark.parametrize("corpus", ["abc", "wikipedia_abc", "text8"])
def test_without_a_network_the_published_corpora_are_refused(folder: Path, no_network: None, corpus: str) -> None:
    with pytest.raises(Refusal, match="could not be fetched"):
        corpora.load(corpus)


def test_forty_chapters_of_a_novel_are_embedded(folder: Path, no_network: None) -> None:
    found = corpora.load("hongloumeng")
    assert found.chinese and 140_000 < found.words < 142_000
    assert found.sentences[0][:5] == ["第一回", "甄士隐", "梦幻", "识通灵", "贾雨村"]
    text = bz2.decompress(corpora.HONGLOUMENG.read_bytes()).decode()
    assert text.count("\n") == 1123 and "第四十回" in text and "第四十一回" not in text


def test_a_novel_is_embedded_from_its_first_chapter_to_its_fortieth() -> None:
    book = "《红楼梦》\n\n第一回  甲\n\n    此开卷\r\n　　第四十一回不在此\n第四十回　乙\n末\n第四十一回  丙\n后\n"
    text = bz2.decompress(embed.hongloumeng(book)).decode()
    assert text == "第一回  甲\n此开卷\n第四十一回不在此\n第四十回　乙\n末\n"
    with pytest.raises(ValueError, match="chapter 41"):
        embed.hongloumeng(text)


@pytest.mark.long
def test_the_abc_news_are_as_published() -> None:
    assert 640_000 < corpora.load("abc").words < 800_000


def test_the_setting_takes_only_a_name():
    from core.algorithms.word2vec.config import Word2VecConfig

    assert check(Word2VecConfig, {"corpus": "own", "text": "0a" * 16}).text == "0a" * 16
    with pytest.raises(Refusal, match="Your text must be the name of an uploaded text"):
        check(Word2VecConfig, {"corpus": "own", "text": "hello world"})
