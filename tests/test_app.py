"""The real server, as ``streamlit run app.py`` starts it."""

import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from core import web
from core.bench.server import OWNER, Server, serving
from core.bench.start_route import HEADER, SECRET, routes
from tests.conftest import until as wait_until
from tests.test_boundaries import REPORTS, show

DOCUMENT = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("runs")) as server:
        yield server


@pytest.fixture(scope="module")
def browser(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://{server.host}", timeout=30) as client:
        yield client


def live(server: Server, run: str, base: str = "") -> ClientConnection:
    return connect(
        f"ws://{server.host}{base}/lab/runs/{run}/live?since=0",
        origin=f"http://{server.host}",  # type: ignore[arg-type]
        additional_headers={"Cookie": f"tenfold={OWNER}"},
        max_size=None,
    )


def asleep(server: Server, path: str) -> socket.socket:
    """A browser that fell asleep: a socket that is open, never read and never answered."""
    raw = socket.create_connection(("127.0.0.1", server.port))
    lines = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    lines += [f"Host: {server.host}", f"Origin: http://{server.host}", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    raw.sendall("\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode())
    return raw


def until(link: ClientConnection, true: Callable[[dict[str, Any]], Any], seconds: float = 30) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while True:
        message: dict[str, Any] = json.loads(link.recv(timeout=max(end - time.monotonic(), 0)))
        if message["type"] == "update":
            link.send(json.dumps({"type": "drawn", "n": message["n"]}))
        if true(message):
            return message


def test_the_first_document_brings_a_token_of_ones_own(browser: httpx.Client) -> None:
    browser.cookies.clear()
    line = browser.get("/", headers=DOCUMENT).headers["set-cookie"]
    token = re.match(r"tenfold=([A-Za-z0-9_-]{43});", line)
    assert token and "HttpOnly" in line and "SameSite=Lax" in line and "Path=/" in line and "Secure" not in line
    assert int(re.search(r"Max-Age=(\d+)", line)[1]) > 300 * 24 * 3600  # type: ignore[index]
    again = browser.get("/dnn", headers=DOCUMENT).headers["set-cookie"]
    assert again.startswith(f"tenfold={token[1]};")
    browser.cookies.clear()
    assert f"tenfold={token[1]}" not in browser.get("/", headers=DOCUMENT).headers["set-cookie"]


def test_only_a_document_brings_a_token(browser: httpx.Client) -> None:
    browser.cookies.clear()
    for path in ("/lab/plotly.min.js", "/_stcore/health", "/lab/words/zh.json", "/lab/assets/stage/stage.js"):
        assert "tenfold" not in browser.get(path).headers.get("set-cookie", "")


@pytest.mark.parametrize("bad", ["short", "x" * 129, 'a"b' * 20, "ä" * 40, ""])
def test_a_token_that_is_none_is_replaced(browser: httpx.Client, bad: str) -> None:
    browser.cookies.clear()
    cookie = {"Cookie": f"a=1; tenfold={bad}".encode()}
    line = browser.get("/", headers={**DOCUMENT, **cookie}).headers["set-cookie"]  # type: ignore[arg-type]
    assert re.match(r"tenfold=[A-Za-z0-9_-]{43};", line)


def test_behind_https_the_token_travels_encrypted_only(browser: httpx.Client) -> None:
    line = browser.get("/", headers={**DOCUMENT, "X-Forwarded-Proto": "https"}).headers["set-cookie"]
    assert line.endswith("; Secure")


def test_plotly_comes_from_the_package_and_compressed(browser: httpx.Client) -> None:
    plain = (files("plotly") / "package_data" / "plotly.min.js").read_bytes()
    packed = browser.get("/lab/plotly.min.js?v=1", headers={"Accept-Encoding": "gzip"})
    assert packed.content == plain and int(packed.headers["content-length"]) < 2_000_000
    assert "immutable" in packed.headers["cache-control"] and "javascript" in packed.headers["content-type"]
    bare = browser.get("/lab/plotly.min.js", headers={"Accept-Encoding": "identity"})
    assert bare.content == plain and "immutable" not in bare.headers["cache-control"]
    etag = {"If-None-Match": packed.headers["etag"]}
    assert browser.get("/lab/plotly.min.js", headers=etag).status_code == 304


def test_the_stage_is_served_and_kept_where_it_has_a_version(browser: httpx.Client) -> None:
    for query, kept in (("?v=1", True), ("", False)):
        answer = browser.get(f"/lab/assets/stage/stage.js{query}")
        assert answer.status_code == 200 and "javascript" in answer.headers["content-type"]
        assert ("immutable" in answer.headers["cache-control"]) is kept
    missing = browser.get("/lab/assets/stage/nothing.js?v=1")
    assert missing.status_code == 404 and "immutable" not in missing.headers.get("cache-control", "")


@pytest.mark.parametrize(
    "path", ["../app.py", "%2e%2e/app.py", "stage/../../app.py", "..%2fapp.py", "/etc/passwd", "%00"]
)
def test_nothing_outside_the_assets_is_served(server: Server, path: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(f"GET /lab/assets/{path} HTTP/1.1\r\nHost: {server.host}\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while more := raw.recv(65536):
            answer += more
    assert b" 40" in answer.split(b"\r\n")[0] and b"st.App" not in answer and b"root:" not in answer


def test_words_are_served_by_language(browser: httpx.Client) -> None:
    chinese = browser.get("/lab/words/zh.json?v=1")
    assert isinstance(chinese.json(), dict) and "immutable" in chinese.headers["cache-control"]
    for odd in ("en", "xx", "..%2f..%2fzh", "zh_CN"):
        answer = browser.get(f"/lab/words/{odd}.json")
        assert answer.status_code >= 400 or answer.json() == {} or "<html" in answer.text


def test_the_version_changes_with_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stage").mkdir()
    (tmp_path / "stage" / "stage.js").write_text("1")
    monkeypatch.setattr(web, "ASSETS", tmp_path)
    before = web.assets_version.__wrapped__()
    assert before == web.assets_version.__wrapped__()
    (tmp_path / "stage" / "stage.js").write_text("2")
    assert web.assets_version.__wrapped__() != before


def test_the_route_of_the_bench_asks_for_its_secret(browser: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert browser.post("/lab/bench/start", json={}).status_code == 403
    assert browser.post("/lab/bench/start", json={}, headers={HEADER: "guess"}).status_code == 403
    monkeypatch.delenv(SECRET, raising=False)
    with pytest.raises(KeyError):
        routes()


def test_nothing_of_the_bench_is_loaded_by_a_users_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(REPORTS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with serving(tmp_path / "runs", extended=False) as server:
        show(server, "")
        show(server, "dnn")
        (tmp_path / f"report.{server.process.pid}").touch()
        wait_until((tmp_path / "modules").exists)
        loaded = (tmp_path / "modules").read_text().split("\n")
        assert "core.runs.server.hub" in loaded and not [name for name in loaded if name.startswith("core.bench")]
        with httpx.Client(base_url=f"http://{server.host}") as client:
            assert client.post("/lab/bench/start", json={}).status_code in (404, 405)


def test_an_unknown_run_ends_the_socket_with_a_sentence(server: Server) -> None:
    with live(server, "nothing") as link:
        assert json.loads(link.recv())["sentence"]["template"]
        with pytest.raises(ConnectionClosed):
            link.recv()
        assert link.close_code == 4404


def test_a_real_run_is_watched_paused_stepped_and_scrubbed(server: Server) -> None:
    run = server.start("dnn", "spiral", steps=100_000)
    with live(server, run) as link:
        hello = until(link, lambda m: m["type"] == "hello")
        assert hello["mine"] and hello["run"]["slug"] == "dnn"
        link.send(json.dumps({"type": "see", "panels": ["boundary", "neurons"]}))
        until(link, lambda m: m.get("curves", {}).get("train/loss"))
        drawn = until(link, lambda m: "boundary" in m.get("panels", {}))
        assert drawn["panels"]["boundary"]["data"]
        link.send(json.dumps({"type": "command", "do": "pause"}))
        paused = until(link, lambda m: m.get("status", {}).get("state") == "paused")["status"]
        link.send(json.dumps({"type": "command", "do": "step"}))
        stepped = until(link, lambda m: m.get("status", {}).get("step", 0) > paused["step"])["status"]
        assert stepped["step"] == paused["step"] + 1
        link.send(json.dumps({"type": "frame", "step": 0, "n": 3}))
        frame = until(link, lambda m: m["type"] == "frame")
        assert (frame["n"], frame["step"]) == (3, 0) and frame["panels"]["boundary"]["data"]
        link.send(json.dumps({"type": "command", "do": "stop"}))
        ended = until(link, lambda m: m.get("status", {}).get("state") == "stopped")["status"]
        assert 0 <= ended["progress"] < 1
        until(link, lambda m: m.get("status", {}).get("resumable"))


def test_below_a_base_path_and_ends_in_seconds_with_sockets_open_and_a_run_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STREAMLIT_SERVER_BASE_URL_PATH", "/lab10/")
    server = Server(tmp_path)
    try:
        end = time.monotonic() + 60
        while True:
            try:
                assert httpx.get(f"http://{server.host}/lab10/lab/words/zh.json").status_code == 200
                break
            except httpx.TransportError:
                assert time.monotonic() < end
                time.sleep(0.1)
        server.path = "/lab10"
        run = server.start("dnn", "spiral", steps=10_000_000)
        with live(server, run, "/lab10") as reading, asleep(server, f"/lab10/lab/runs/{run}/live"):
            until(reading, lambda m: m.get("status", {}).get("step", 0) > 10)
            assert server.close() < 5
            with pytest.raises(ConnectionClosed):
                until(reading, lambda m: False)
        view = server.library.view(run)
        assert view.head.state in ("stopped", "interrupted") and view.resumable
    finally:
        server.close()
