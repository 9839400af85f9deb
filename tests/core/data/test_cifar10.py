"""CIFAR-10's binary version: downloaded, verified, read member by member; small ones over HTTP."""

import hashlib
import io
import tarfile
from dataclasses import replace

import numpy as np
import pytest

from core.data import cache, cifar10
from core.data.cifar10 import TEST, TRAIN, Published
from core.words import Refusal
from tests.core.data.conftest import Publisher

ROWS = 7
README = "cifar-10-batches-bin/readme.html"


def batches(seed: int = 0) -> dict[str, np.ndarray]:
    """Members of a small archive: (rows, 1 + 3072) each."""
    rng = np.random.default_rng(seed)
    rows = {name: rng.integers(0, 256, (ROWS, 3073), np.uint8) for name in TRAIN + TEST}
    for batch in rows.values():
        batch[:, 0] = rng.integers(0, 10, ROWS)
    return rows


def archived(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, raw in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))
    return file.getvalue()


def offered(publisher: Publisher, archive: bytes) -> Published:
    url = publisher.offer("cifar-10-binary.tar.gz", archive)
    return Published("md5:" + hashlib.md5(archive, usedforsecurity=False).hexdigest(), (url,), rows=ROWS)


def test_the_archive_is_downloaded_once_and_read(publisher: Publisher) -> None:
    rows = batches()
    # In another order, and with files beside them that are not read.
    members = {README: b"<html>", **{name: rows[name].tobytes() for name in reversed(list(rows))}}
    published = offered(publisher, archived(members))
    x, y, x_test, y_test = cifar10.load(published)
    assert (x.shape, x_test.shape, x.dtype, y.dtype) == ((35, 3, 32, 32), (7, 3, 32, 32), np.uint8, np.int64)
    train = np.concatenate([rows[name] for name in TRAIN])
    np.testing.assert_array_equal(y, train[:, 0])
    # A row is the class, then 1,024 red values, 1,024 green and 1,024 blue ones, each row by row.
    assert x[9, 1, 2, 3] == train[9, 1 + 1024 + 2 * 32 + 3]
    np.testing.assert_array_equal(x_test.reshape(7, -1), rows[TEST[0]][:, 1:])
    np.testing.assert_array_equal(y_test, rows[TEST[0]][:, 0])
    cifar10.load(published)
    assert publisher.requests == ["/cifar-10-binary.tar.gz"], "the second time from the cache"


def test_it_is_reported_how_far_it_is(publisher: Publisher) -> None:
    published = offered(publisher, archived({name: rows.tobytes() for name, rows in batches().items()}))
    reports: list[tuple[str, float]] = []
    token = cache.progress.set(lambda task, share: reports.append((task, share)))
    try:
        cifar10.load(published)
    finally:
        cache.progress.reset(token)
    for task in (cache.FETCHING, cache.READING):
        shares = [share for name, share in reports if name == task]
        assert shares == sorted(shares) and shares[-1] == 1.0 and len(shares) > 1, task


@pytest.mark.parametrize("fault", ["no network", "another checksum", "truncated"])
def test_what_cannot_be_fetched_is_refused(publisher: Publisher, fault: str) -> None:
    published = offered(publisher, archived({name: rows.tobytes() for name, rows in batches().items()}))
    if fault == "no network":
        published = replace(published, urls=("http://127.0.0.1:9/cifar-10-binary.tar.gz",))
    elif fault == "truncated":
        published = replace(published, urls=(publisher.cut + "cifar-10-binary.tar.gz",))
    else:
        published = replace(published, digest="md5:" + "0" * 32)
    with pytest.raises(Refusal) as refused:
        cifar10.load(published)
    assert refused.value.field == "data"
    assert str(refused.value) == (
        "cifar-10-binary.tar.gz is not on this machine and could not be fetched. "
        "Without a network, choose MNIST, 5,000 images."
    )
    assert not list((cache.folder() / "cifar-10").glob("*"))


def damaged(fault: str) -> bytes:
    members = {name: rows.tobytes() for name, rows in batches().items()}
    first = TRAIN[0]
    match fault:
        case "a member is missing":
            del members[first]
        case "a member is short":
            members[first] = members[first][:-1]
        case "a member is long":
            members[first] += b"\0"
        case "an eleventh class":
            members[first] = b"\x0a" + members[first][1:]
        case "no archive":
            return b"not a tar"
    if fault != "a member is a link":
        return archived(members)
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        info = tarfile.TarInfo(first)
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    return file.getvalue()


@pytest.mark.parametrize(
    "fault",
    [
        "a member is missing",
        "a member is short",
        "a member is long",
        "a member is a link",
        "an eleventh class",
        "no archive",
    ],
)
def test_an_archive_of_other_contents_is_refused(publisher: Publisher, fault: str) -> None:
    with pytest.raises(Refusal) as refused:
        cifar10.load(offered(publisher, damaged(fault)))
    assert str(refused.value) == (
        "cifar-10-binary.tar.gz does not hold what its publisher describes. Choose MNIST, 5,000 images."
    )


@pytest.mark.long
def test_the_full_set() -> None:
    x, y, x_test, y_test = cifar10.load()
    assert x.shape == (50_000, 3, 32, 32) and x_test.shape == (10_000, 3, 32, 32)
    assert np.bincount(y).tolist() == [5000] * 10 and np.bincount(y_test).tolist() == [1000] * 10
    # Krizhevsky's means of the channels, as they are widely used: 0.491, 0.482, 0.447.
    np.testing.assert_allclose(x.mean(axis=(0, 2, 3)) / 255, [0.4914, 0.4822, 0.4465], atol=1e-4)
