"""A text and a graph of a person's own, brought by hand as files; real server, real Chromium."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from actions import control, expect_address, train, wait_for_step
from conftest import Server, serve, settled, stop, visit
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser

#: Two rings of nodes and an edge between them, whose labels have a space; a loop and two edges given twice.
EDGES = ["source,target", *(f"{r}{i},{r}{(i + 1) % 12}" for r in "ab" for i in range(12)), "a0,b0"]
TWISTED = [*EDGES, "a3,a3", "a1,a0", "a0,a1"]
NODES = ["id,label", *(f"{r}{i},ring {r}" for r in "ab" for i in range(12))]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An app that keeps what is brought in a folder of its own."""
    folder = tmp_path_factory.mktemp("app")
    server = serve(folder, TENFOLD_DATA=str(folder / "data"))
    yield server
    stop(server)
    assert "Traceback" not in server.output.read_text(errors="replace")


def bring(setting: Locator, path: Path, content: str | bytes) -> None:
    """Choose a file as a person does, once the page has come to rest: after each file the uploader is a new one."""
    settled(setting.page)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    setting.locator("input[type=file]").set_input_files(path)


def choose(page: Page, name: str, option: str, then: str) -> None:
    """Choose an option, and wait for the control that comes with it: its group is open already."""
    control(page, name).get_by_role("combobox").click()
    page.get_by_role("option", name=option).click()
    expect(page.locator(f".st-key-control-{then}")).to_be_visible()
    settled(page)


def test_a_text_file_is_learned_and_a_refused_one_takes_nothing_away(
    page: Page, server: Server, tmp_path: Path, pictures: Path
) -> None:
    visit(page, f"{server.url}/word2vec")
    choose(page, "corpus", "A text of your own", "text")
    text = control(page, "text")
    words = " ".join(f"w{'abcdefghijklmnopqrstuvwxyz'[i]}" for i in range(26))
    bring(text, tmp_path / "mine.txt", f"{words}\n" * 400)
    expect(text).to_contain_text("31,200 characters: wa wb wc")
    expect(text).not_to_contain_text("mine.txt")
    kept = page.evaluate("location.href")

    bring(text, tmp_path / "gbk.txt", "我们喜欢读书。".encode("gbk"))
    expect(text.get_by_role("alert")).to_contain_text("Your text: it has to be UTF-8, and byte 1 is not.")
    bring(text, tmp_path / "long.txt", b"a word\n" * 3_000_000)
    expect(text.get_by_role("alert")).to_contain_text("Your text: at most 20 MB can be taken; this one has 21.0 MB.")
    page.screenshot(path=pictures / "upload.png")
    expect(text).to_contain_text("31,200 characters: wa wb wc")
    assert page.evaluate("location.href") == kept

    train(page)
    wait_for_step(page, 0)
    expect(page.locator(".tf-stage").get_by_text(re.compile("^\u2060?w[a-z]$")).first).to_be_visible()
    page.reload()
    settled(page)
    expect(control(page, "text")).to_contain_text("31,200 characters: wa wb wc")


def test_an_edge_list_and_a_node_table_are_learned(page: Page, server: Server, tmp_path: Path, pictures: Path) -> None:
    visit(page, f"{server.url}/gnn?stop.steps=50")
    choose(page, "data", "Your own edge list", "node_table")
    edges, nodes = control(page, "edge_list"), control(page, "node_table")
    bring(edges, tmp_path / "empty.csv", b"")
    expect(edges.get_by_role("alert")).to_contain_text("Edge list: it is empty.")
    bring(edges, tmp_path / "edges.csv", "\n".join(TWISTED))
    expect(edges).to_contain_text("characters: source,target a0,a1")

    bring(nodes, tmp_path / "strangers.csv", "\n".join([*NODES, "zorro,ring a", "ghost,ring b"]))
    expect(nodes).to_contain_text("characters: id,label")
    page.get_by_role("button", name="Train").first.click()
    alert = page.locator('[data-testid="stMain"] [data-testid="stAlert"]')
    expect(alert).to_contain_text("Node table: ids that are in no edge: 2, such as zorro in line 26.")

    bring(nodes, tmp_path / "nodes.csv", "\n".join(NODES))
    expect(alert).to_have_count(0)
    expect_address(page, data="pasted")
    train(page)
    note = "1 edges of a node to itself and 2 given before were left out; 25 remain"
    expect(page.locator(".tf-stage").get_by_text(note).first).to_be_visible()
    page.screenshot(path=pictures / "graph.png")
