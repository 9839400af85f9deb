"""Texts: what there is of them, how they are cut into words, what is kept, and what is refused."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from core.data import cache, corpora, grammar, uploads
from core.settings import check
from core.words import Refusal
from tests.core.data.test_cache import published

__all__ = ["published"]


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


@pytest.mark.parametrize("corpus", ["abc", "classics", "text8"])
def test_without_a_network_it_is_said_what_is_missing(folder, monkeypatch, corpus):
    monkeypatch.setattr(cache, "_unpacked", lambda *asked: None)
    with pytest.raises(Refusal, match=r"is not on this machine") as refused:
        corpora.load(corpus)
    assert refused.value.field == "corpus"


def test_a_member_of_an_archive_is_fetched_checked_and_kept(published):
    publisher, address = published
    content = b"all the news" * 1000
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("abc/rural.txt", content)
    (publisher / "abc.zip").write_bytes(archive.getvalue())
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    asked = ("text/rural.txt", (address + "nothere.zip", address + "abc.zip"), "abc/rural.txt", digest)
    assert cache.text(*asked, field="corpus") == content
    (publisher / "abc.zip").unlink()
    assert cache.text(*asked, field="corpus") == content
    with pytest.raises(Refusal, match="could not be fetched"):
        cache.text("text/other.txt", (address + "abc.zip",), "abc/rural.txt", digest, field="corpus")


def test_what_came_is_not_taken_where_it_is_another(published):
    publisher, address = published
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("rural.txt", b"changed on its way")
    (publisher / "abc.zip").write_bytes(archive.getvalue())
    with pytest.raises(Refusal, match="could not be fetched"):
        cache.text("text/rural.txt", (address + "abc.zip",), "rural.txt", "md5:" + "0" * 32, field="corpus")
    assert not (cache.folder() / "text" / "rural.txt").exists()


def test_the_setting_takes_only_a_name():
    from core.algorithms.word2vec.config import Word2VecConfig

    assert check(Word2VecConfig, {"corpus": "own", "text": "0a" * 16}).text == "0a" * 16
    with pytest.raises(Refusal, match="Your text must be the name of an uploaded text"):
        check(Word2VecConfig, {"corpus": "own", "text": "hello world"})
