"""A slider's value goes to the run that it was moved for, and not to the run that takes its place."""

import time
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from core.bench.server import OWNER, Server, serving
from core.events import SettingChanged
from tests.conftest import until


def rerun(link: ClientConnection, run: str, states: dict[str, str]) -> tuple[str, str]:
    """Run the page's script as a browser would that shows these values: the id of the slider of the learning rate, and
    the address where the page changed it."""
    message = BackMsg()
    message.rerun_script.page_name = "dnn"
    message.rerun_script.query_string = f"run={run}"
    for widget, value in states.items():
        state = message.rerun_script.widget_states.widgets.add()
        state.id, state.string_array_value.data[:] = widget, [value]
    link.send(message.SerializeToString())
    found = address = ""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        forward = ForwardMsg()
        forward.ParseFromString(link.recv(timeout=30))  # type: ignore[arg-type]
        slider = forward.delta.new_element.slider
        if "learning rate" in slider.label.lower():
            found = slider.id
        address = forward.page_info_changed.query_string or address
        if forward.WhichOneof("type") == "script_finished":
            return found, address
    raise AssertionError("the script did not end")


def changes(server: Server, run: str) -> list[tuple[str, object]]:
    reader = server.library.reader(run)
    try:
        return [
            (r.event.field, r.event.new) for r in reader.events(SettingChanged) if isinstance(r.event, SettingChanged)
        ]
    finally:
        reader.close()


def test_a_moved_slider_acts_on_its_own_run_alone(tmp_path: Path) -> None:
    """After Train or Same seed the browser still shows, for a script or two, what the slider was moved to."""
    with serving(tmp_path, slots=2) as server:
        first = server.start("dnn", "spiral")
        with connect(
            f"ws://{server.host}/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            origin=f"http://{server.host}",  # type: ignore[arg-type]
            additional_headers={"Cookie": f"tenfold={OWNER}"},
            max_size=None,
        ) as page:
            until(lambda: server.library.head(first).step > 10, 90)  # the first run waits for the zygote
            slider, _ = rerun(page, first, {})
            rerun(page, first, {slider: "0.05"})
            until(lambda: changes(server, first))
            assert changes(server, first) == [("lr", 0.05)]
            second = server.start("dnn", "spiral")
            until(lambda: server.library.head(second).step > 10, 60)
            for value in ("0.05", "0.05", "0.005"):  # what the browser showed, twice, then what it was set to
                _, address = rerun(page, second, {slider: value})
                assert "lr=" not in address, "the controls show what the second run has"
            step = server.library.head(second).step
            until(lambda: server.library.head(second).step > step + 500, 60)
            assert changes(server, second) == [], "the same seed gives the same curve"
            assert changes(server, first) == [("lr", 0.05)]
            slider, _ = rerun(page, second, {})
            _, address = rerun(page, second, {slider: "0.05"})
            assert "lr=0.05" in address
            until(lambda: changes(server, second) == [("lr", 0.05)])
