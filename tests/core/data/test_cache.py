"""Downloading: from a real server on this machine, verified, with progress, refused where it is not possible."""

import gzip
import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from core.data import cache
from core.data.cache import Source
from core.words import Refusal
from tests.core.data.conftest import Publisher

CONTENT = bytes(range(256)) * 4000
SHA256 = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
NOWHERE = "http://127.0.0.1:9/"


def content(*urls: str, file: str = "set/file.gz", digest: str = SHA256, member: str = "") -> bytes:
    return cache.content(Source(file, digest, urls, member), field="data", instead="MNIST, 5,000 images")


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, raw in members.items():
            archive.writestr(name, raw)
    return file.getvalue()


def test_it_is_downloaded_once_with_progress(publisher: Publisher) -> None:
    url = publisher.offer("file.gz", gzip.compress(CONTENT))
    reports: list[tuple[str, float]] = []
    token = cache.progress.set(lambda task, share: reports.append((task, share)))
    try:
        assert content(url) == CONTENT
    finally:
        cache.progress.reset(token)
    shares = [share for task, share in reports if task == cache.FETCHING]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert {task for task, _ in reports} == {cache.FETCHING, cache.READING}  # as the catalogues know them
    assert content(url) == CONTENT
    assert publisher.requests == ["/file.gz"]
    assert [p.name for p in (cache.folder() / "set").iterdir()] == ["file.gz"]


def test_another_header_around_the_same_content_is_the_same_file(publisher: Publisher) -> None:
    assert content(publisher.offer("file.gz", gzip.compress(CONTENT, compresslevel=1, mtime=12345))) == CONTENT


@pytest.mark.parametrize(
    "damage",
    [b"no gzip at all", gzip.compress(CONTENT)[:-900], gzip.compress(b"other"), b""],
    ids=["no gzip", "truncated", "another checksum", "empty"],
)
def test_what_is_not_what_was_published_is_refused_and_the_next_address_tried(
    publisher: Publisher, damage: bytes
) -> None:
    wrong = publisher.offer("file.gz", damage)
    with pytest.raises(Refusal):
        content(wrong)
    assert not list((cache.folder() / "set").iterdir())
    assert content(wrong, publisher.offer("right.gz", gzip.compress(CONTENT))) == CONTENT


def test_a_transfer_that_breaks_off_leaves_nothing_and_the_next_address_is_tried(publisher: Publisher) -> None:
    whole = publisher.offer("file.gz", gzip.compress(CONTENT))
    with pytest.raises(Refusal):
        content(publisher.cut + "file.gz")
    assert not list((cache.folder() / "set").iterdir())
    assert content(publisher.cut + "file.gz", whole) == CONTENT
    assert publisher.requests == ["/cut/file.gz", "/cut/file.gz", "/file.gz"]


def test_a_damaged_file_in_the_cache_is_downloaded_again(publisher: Publisher) -> None:
    url = publisher.offer("file.gz", gzip.compress(CONTENT))
    path = cache.folder() / "set" / "file.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(CONTENT)[:500])
    assert content(url) == CONTENT
    assert gzip.decompress(path.read_bytes()) == CONTENT


def test_without_a_network_one_sentence_names_the_field_the_file_and_what_to_use(publisher: Publisher) -> None:
    with pytest.raises(Refusal) as refused:
        content(NOWHERE + "file.gz")
    assert refused.value.field == "data"
    assert str(refused.value) == (
        "file.gz is not on this machine and could not be fetched. Without a network, choose MNIST, 5,000 images."
    )


def test_a_folder_that_cannot_be_written_is_refused_in_the_same_sentence(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file where a folder should be")
    with pytest.raises(Refusal, match="could not be fetched"):
        content(publisher.offer("file.gz", gzip.compress(CONTENT)))


def test_a_member_of_an_archive_is_downloaded_verified_and_stored(publisher: Publisher) -> None:
    url = publisher.offer("abc.zip", zipped(**{"abc/rural.txt": CONTENT, "other": b"more"}))
    missing = publisher.url + "missing.zip"
    assert content(missing, url, file="text/rural.txt", member="abc/rural.txt") == CONTENT
    assert [p.name for p in (cache.folder() / "text").iterdir()] == ["rural.txt"]
    publisher.requests.clear()
    assert content(url, file="text/rural.txt", member="abc/rural.txt") == CONTENT
    assert publisher.requests == []


@pytest.mark.parametrize(
    "archive",
    [b"no zip at all", zipped(**{"rural.txt": b"changed on its way"}), zipped(other=CONTENT), zipped(a=CONTENT)[:-60]],
    ids=["no zip", "another checksum", "no such member", "truncated"],
)
def test_an_archive_without_the_published_file_is_refused(publisher: Publisher, archive: bytes) -> None:
    with pytest.raises(Refusal, match="could not be fetched"):
        content(publisher.offer("abc.zip", archive), file="text/rural.txt", member="rural.txt")
    assert not list((cache.folder() / "text").iterdir())


def test_a_listener_may_end_the_download(publisher: Publisher) -> None:
    url = publisher.offer("file.gz", gzip.compress(CONTENT))

    class Left(Exception):
        pass

    def leave(task: str, share: float) -> None:
        if task == cache.FETCHING and share > 0:
            raise Left

    token = cache.progress.set(leave)
    try:
        with pytest.raises(Left):
            content(url)
    finally:
        cache.progress.reset(token)
    assert not list((cache.folder() / "set").iterdir())


def test_the_folder_is_chosen_or_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENFOLD_DATA", "/some/place")
    assert cache.folder() == Path("/some/place")
    monkeypatch.delenv("TENFOLD_DATA")
    assert cache.folder().name == "tenfold"
