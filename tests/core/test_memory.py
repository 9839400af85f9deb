"""What the server validates costs it little memory, whatever a person sends: measured in a fresh process each.

Settings are validated at each rerun of a page and when a link is opened, so a value that makes a validation allocate
gigabytes would end the server for everybody.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.data import uploads
from core.data.graphs_csv import FEATURES, LINES, SMALL
from tests.conftest import HOUSE

#: Megabytes by which a validation may grow the server.
MOST = 50

#: Evaluates an expression of ``values`` twice, and prints how far the peak of this process's memory rose.
#: Linux has it exactly (``getrusage`` starts at the parent's); elsewhere it is sampled after each expression.
MEASURE = """
import json, sys
from pathlib import Path
import psutil
from core import registry, settings
from core.data import graphs_csv, pictures, uploads
from core.words import Refusal

def peak():
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    return psutil.Process().memory_info().rss / 2**20

slug, expression, values = sys.argv[1:]
values = eval(values)  # made here: to read it would raise the peak beforehand
schema = registry.get(slug).config
settings.check(schema, {})
before, sentences = peak(), []
for _ in range(2):
    try:
        eval(expression)
        sentences.append("")
    except Refusal as refusal:
        sentences.append(str(refusal))
assert sentences[0] == sentences[1]
print(json.dumps([peak() - before, sentences[0]]))
"""

CHECK, FROM_TEXT = "settings.check(schema, values)", "settings.from_text(schema, values)"


def growth(slug: str, expression: str, values: str) -> tuple[float, str]:
    """Megabytes that a fresh process grew by at most, and the sentence of the refusal; ``values`` is Python."""
    command = [sys.executable, "-c", MEASURE, slug, expression, values]
    done = subprocess.run(command, cwd=HOUSE, capture_output=True, text=True, check=True, timeout=240)
    grown, sentence = json.loads(done.stdout)
    return grown, sentence


@pytest.fixture
def keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Keeps a text in a data folder of this test's own."""
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))
    return lambda text: uploads.keep(text.encode()) if text else ""


#: 19,999 edges along a path: 20,000 nodes in 218 kB.
PATH = "\n".join(f"{i},{i + 1}" for i in range(19_999))


def table(rows: int, columns: int) -> str:
    """Labels of two kinds and numbers of one digit."""
    return "\n".join(f"{i},{'ab'[i % 2]},{','.join(str((i + j) % 10) for j in range(columns))}" for i in range(rows))


@pytest.mark.parametrize(
    ("edges", "nodes", "sentence"),
    [
        (PATH, table(46, 2500), "Node table: 20,000 nodes with 2,500 numbers each are too many"),
        (PATH, table(1, 9_000_000), "Node table: 1 nodes with 9,000,000 numbers each are too many"),
        (PATH, table(20_000, 200), ""),
        ("1 2\n" * (SMALL // 4), "", "labels of two kinds"),
        ("\n".join(f"{i},{i + 1}" for i in range(35_000)), "", "at most 20,000 nodes can be taken; this one has"),
        ("\n".join(f"{i % 20_000},{i % 19_999}{' ' * 85}" for i in range(LINES)), "", ""),
        ("\n" * (LINES + 1) + "a,b", "", "at most 200,000 lines can be taken"),
        ("\n".join("x" * 60_000 + f"{i},y" for i in range(8)), "", "line 1 has an entry of 60,001 characters"),
        ("x" * 19_000_000 + ",y", "", ""),
    ],
    ids=["2,500 columns", "one long line", "large table", "small edges", "nodes", "edges", "lines", "ids", "one id"],
)
def test_a_graph_of_ones_own(keep: Callable[[str], str], edges: str, nodes: str, sentence: str) -> None:
    values = {"data": "pasted", "edge_list": keep(edges), "node_table": keep(nodes)}
    grown, answer = growth("gnn", CHECK, repr(values))
    assert sentence in answer and bool(sentence) == bool(answer)
    assert grown <= MOST


@pytest.mark.parametrize(
    ("slug", "expression", "values"),
    [
        ("dnn", CHECK, '{"layers": [1] * 3_000_000}'),
        ("dnn", CHECK, '{"layers": ["x"] * 1_000_000}'),
        ("dnn", FROM_TEXT, '{"layers": "1," * 3_000_000}'),
        ("gan", CHECK, '{"data": "drawing", "drawing": "A" * 20_000_000}'),
        ("word2vec", FROM_TEXT, '{"words": "a," * 5_000_000}'),
        ("word2vec", CHECK, '{"corpus": "own", "text": "0" * 20_000_000}'),
    ],
    ids=["list", "wrong list", "written list", "drawing", "words", "name of a text"],
)
def test_a_setting_that_is_far_too_long(slug: str, expression: str, values: str) -> None:
    grown, answer = growth(slug, expression, values)
    assert " must be " in answer and len(answer) < 300
    assert grown <= MOST


def test_a_text_of_20_mb_is_kept_and_summarised_piece_by_piece(keep: Callable[[str], str], tmp_path: Path) -> None:
    """Its one wide character would make each of the others four bytes wide, were the text decoded as a whole."""
    file = tmp_path / "text"
    file.write_text("word " * 3_999_990 + "\U0001f600\n")
    expression = "uploads.summary(uploads.keep(Path(values).read_bytes()))"
    grown, answer = growth("word2vec", expression, repr(str(file)))
    assert answer == "" and grown <= MOST


def test_what_a_worker_takes_of_a_table_is_bounded(keep: Callable[[str], str]) -> None:
    """Large tables are parsed where they are learned, by the same bound."""
    from core.data.graphs_csv import pasted
    from core.words import Refusal

    columns = FEATURES // 20_000 + 1
    wide = keep("\n".join(f"{i},{'ab'[i % 2]}" + ",1000000000" * columns for i in range(500)))
    with pytest.raises(Refusal, match=rf"20,000 nodes with {columns} numbers each are too many"):
        pasted(keep(PATH), wide, labels=1, features="own", seed=0, classified=True)


#: Megabytes that the decoding of one picture may take, whatever it is.
DECODED = 220

#: Makes a malformed file by ``tests/core/data/malformed.py``.
MADE = '__import__("tests.core.data.malformed", fromlist=["png"]).{}'


@pytest.mark.parametrize(
    ("expression", "values", "sentence"),
    [
        ("pictures.picture('x', values)", "png(16_000, 16_000)", "more than 25 million pixels"),
        ("pictures.picture('x', values)", "gif(8, 8, (0, 0, 65_000, 65_000))", "x: it "),
        ("pictures.picture('x', values)", "webp(16_383, 16_383)", "x: it "),
        ("pictures.picture('x', values)", "_with_text(500_000_000)", ""),
        ("pictures.unzipped('x', values)", "zipped({f'{i}/': b'' for i in range(50_000)})", "more than 6,000 entries"),
        ("pictures.Draft().add_zip('x', values)", "zipped({'a/1.bmp': bytes(500_000_000)})", ""),
    ],
    ids=["header", "frame", "canvas", "text", "entries", "zip"],
)
def test_a_bomb_of_pictures(expression: str, values: str, sentence: str) -> None:
    grown, answer = growth("dnn", expression, MADE.format(values))
    assert sentence in answer and grown <= MOST


@pytest.mark.parametrize("mode", ["RGBA", "P", "I;16", "JPEG", "progressive"])
def test_the_largest_picture_that_is_taken(mode: str, tmp_path: Path) -> None:
    from PIL import Image

    file, size = tmp_path / "large", (5000, 5000)
    if mode in ("JPEG", "progressive"):
        Image.new("RGB", size, "red").save(file, "JPEG", progressive=mode == "progressive", subsampling=0)
    else:
        Image.new(mode, size).save(file, "PNG", compress_level=1)
    grown, answer = growth("dnn", "pictures.picture('x', Path(values).read_bytes())", repr(str(file)))
    assert answer == "" and grown <= DECODED
