"""Fetching: from a real server on this machine, checked, told while it comes, refused where it cannot be had."""

import gzip
import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from core.data import cache
from core.words import Refusal

CONTENT = bytes(range(256)) * 4000
SHA = hashlib.sha256(CONTENT).hexdigest()


class Quiet(SimpleHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self):
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *args):
        pass


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A publisher's folder and its address; the cache is empty and elsewhere."""
    folder = tmp_path / "published"
    folder.mkdir()
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path / "cache"))
    Quiet.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def ask(address: str, *more: str) -> bytes:
    return cache.content("set/file.gz", (address + "file.gz", *more), SHA, instead="MNIST, 5,000 images")


def test_it_is_fetched_once_and_told_on_the_way(published):
    folder, address = published
    (folder / "file.gz").write_bytes(gzip.compress(CONTENT))
    told: list[tuple[str, float]] = []
    token = cache.progress.set(lambda task, share: told.append((task, share)))
    try:
        assert ask(address) == CONTENT
    finally:
        cache.progress.reset(token)
    shares = [share for task, share in told if task == cache.FETCHING]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert {task for task, _ in told} == {cache.FETCHING, cache.READING}  # as the catalogues know them
    assert ask(address) == CONTENT
    assert Quiet.asked == ["/file.gz"]
    assert [p.name for p in (cache.folder() / "set").iterdir()] == ["file.gz"]


def test_another_header_around_the_same_content_is_the_same_file(published):
    folder, address = published
    (folder / "file.gz").write_bytes(gzip.compress(CONTENT, compresslevel=1, mtime=12345))
    assert ask(address) == CONTENT


@pytest.mark.parametrize(
    "damage",
    [b"no gzip at all", gzip.compress(CONTENT)[:-900], gzip.compress(b"other")],
    ids=["no gzip", "cut short", "another"],
)
def test_what_is_not_what_was_published_is_left_out_and_the_next_publisher_asked(published, damage):
    folder, address = published
    (folder / "file.gz").write_bytes(damage)
    with pytest.raises(Refusal):
        ask(address)
    assert not (cache.folder() / "set" / "file.gz").exists()
    (folder / "right.gz").write_bytes(gzip.compress(CONTENT))
    assert ask(address, address + "right.gz") == CONTENT


def test_a_damaged_file_in_the_cache_is_fetched_anew(published):
    folder, address = published
    (folder / "file.gz").write_bytes(gzip.compress(CONTENT))
    path = cache.folder() / "set" / "file.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(CONTENT)[:500])
    assert ask(address) == CONTENT
    assert gzip.decompress(path.read_bytes()) == CONTENT


def test_without_a_network_the_refusal_names_the_field_and_what_to_use(published):
    with pytest.raises(Refusal) as refused:
        cache.content("set/file.gz", ("http://127.0.0.1:9/file.gz",), SHA, instead="MNIST, 5,000 images")
    assert refused.value.field == "data"
    assert "MNIST, 5,000 images" in str(refused.value)
    assert "set/file.gz" in str(refused.value)


def test_whoever_listens_may_end_the_fetching(published):
    folder, address = published
    (folder / "file.gz").write_bytes(gzip.compress(CONTENT))

    class Left(Exception):
        pass

    def leave(task: str, share: float) -> None:
        if task == cache.FETCHING and share > 0:
            raise Left

    token = cache.progress.set(leave)
    try:
        with pytest.raises(Left):
            ask(address)
    finally:
        cache.progress.reset(token)
    assert not list((cache.folder() / "set").iterdir())


def test_the_folder_is_chosen_or_the_users_own(monkeypatch):
    monkeypatch.setenv("TENFOLD_DATA", "/some/place")
    assert cache.folder() == Path("/some/place")
    monkeypatch.delenv("TENFOLD_DATA")
    assert cache.folder().name == "tenfold"
