"""Pictures are brought class by class; as soon as they are a set it is stored, and the setting holds its name."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data import pictures
from tests.core.data.malformed import encoded, noise, zipped


def script() -> None:
    import streamlit as st

    from core.image_config import ImageConfig
    from pages.parts.field_widgets import WidgetProps
    from pages.parts.fields import controls
    from pages.parts.session import show_notices
    from pages.parts.widgets import widget

    def put(name: str) -> None:
        st.session_state["name"] = name

    show_notices()
    control, name = controls(ImageConfig)["pictures"], st.session_state.get("name", "")
    disabled = st.session_state.get("off", False)
    widget(WidgetProps(control, name, put, key="own", label="Your pictures", help="", disabled=disabled))


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))
    return AppTest.from_function(script, default_timeout=60).run()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "pictures"


def bring(app: AppTest, name: str, *seeds: int, **others: bytes) -> None:
    """Choose files for a class."""
    files = [(f"{seed}.png", encoded(noise(seed=seed)), "image/png") for seed in seeds]
    files += [(file, content, "image/png") for file, content in others.items()]
    app.text_input[0].set_value(name).run()
    app.file_uploader[0].set_value(files).run()
    assert not app.exception


def said(app: AppTest) -> list[str]:
    return [error.value.replace("\u2060", "").replace("\\", "") for error in app.error]


def missing(app: AppTest) -> str:
    return app.caption[-1].value.replace("\\", "")


def value(app: AppTest) -> str:
    return str(app.session_state["name"]) if "name" in app.session_state else ""


def test_two_classes_of_five_are_a_set(app: AppTest, folder: Path) -> None:
    assert missing(app) == "Your pictures: 2 to 10 classes are needed, each with a name of its own; there are 0."
    assert "stay on this server" in app.caption[0].value
    bring(app, "cup", 0, 1, 2, 3, 4)
    assert not value(app) and missing(app).endswith("there are 1.")
    bring(app, "plate", 5, 6, 7, 8)
    assert not value(app)
    assert missing(app) == "Your pictures: the class plate has 4 pictures; 5 to 300 are needed."
    assert not folder.exists()
    bring(app, "plate", 9)
    assert pictures.summary(value(app)) == pictures.Summary(("cup", "plate"), (5, 5))
    assert len(app.caption) == 1 and not app.error
    first = value(app)
    bring(app, "plate", 10)
    assert value(app) != first and pictures.summary(value(app)).counts == (5, 6)
    assert [file.stem for file in folder.iterdir()] == [value(app)], "the set that it replaces is not kept"


def test_what_is_refused_is_said_beside_the_box_and_the_rest_is_taken(app: AppTest) -> None:
    bring(app, "cup", 0, 1, 2, 3, 4, **{"broken.jpg": b"no picture"})
    assert said(app) == ["broken.jpg: it is not a picture in one of these formats: JPEG, PNG, GIF, BMP, WebP."]
    assert missing(app).endswith("there are 1.")
    bring(app, "plate", 5, 6, 7, 8, 9)
    assert not app.error and value(app)
    before = value(app)
    bring(app, "plate", **{f"{i}.jpg": b"no" for i in range(9)})
    assert len(said(app)) == 6 and said(app)[-1] == "4 further files were not taken."
    assert value(app) == before, "nothing has changed"
    bring(app, "  ", 11)
    assert said(app) == ["Write the name of the class first."] and value(app) == before


def test_a_zip_brings_all_classes_at_once(app: AppTest) -> None:
    content = zipped({f"{n}/{i}.png": encoded(noise(seed=9 * i + len(n))) for n in ("cup", "plate") for i in range(5)})
    app.file_uploader[1].set_value(("photos.zip", content, "application/zip")).run()
    assert not app.exception and not app.error
    assert pictures.summary(value(app)).counts == (5, 5)
    app.file_uploader[1].set_value(("photos.zip", content[:500], "application/zip")).run()
    assert said(app) == ["photos.zip: it is not a zip archive, or it is damaged."]
    assert pictures.summary(value(app)).counts == (5, 5)


def test_a_set_is_shown_again_after_a_reload(app: AppTest) -> None:
    x = np.random.default_rng(0).integers(0, 256, (10, 3, 32, 32), np.uint8)
    app.session_state["name"] = pictures.keep({"cup": list(x[:5]), "plate": list(x[5:])})
    app.run()
    assert not app.exception and len(app.caption) == 1
    bring(app, "plate", 0)
    assert pictures.summary(value(app)).counts == (5, 6)


def test_a_set_that_is_gone_is_said_and_another_can_be_brought(app: AppTest) -> None:
    app.session_state["name"] = "0" * 32
    app.run()
    assert missing(app) == "These pictures are not kept on this machine. Add them again."
    bring(app, "cup", 0, 1, 2, 3, 4)
    assert value(app) == "" and missing(app).endswith("there are 1.")
    bring(app, "plate", 5, 6, 7, 8, 9)
    assert pictures.known(value(app))


def test_a_set_that_is_deleted_while_it_is_shown_is_forgotten(app: AppTest) -> None:
    bring(app, "cup", 0, 1, 2, 3, 4)
    bring(app, "plate", 5, 6, 7, 8, 9)
    pictures.claim(value(app))
    pictures.discard(value(app))
    app.run()
    assert not app.exception and missing(app) == "These pictures are not kept on this machine. Add them again."


def test_nothing_can_be_brought_while_a_run_trains(app: AppTest) -> None:
    app.session_state["off"] = True
    app.run()
    assert app.text_input[0].disabled and all(uploader.proto.disabled for uploader in app.file_uploader)
