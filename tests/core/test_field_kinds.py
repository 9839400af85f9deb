"""A kind defines what a setting may be, names it in a sentence, and stores what a person brings."""

from pathlib import Path

import numpy as np
import pytest

from core import settings
from core.experiment import Config, Setting
from core.field_kinds import DRAWING, PICTURES, UPLOADED_TEXT, FieldKind, Kept, kind_of
from core.words import Refusal, Sentence
from tests.toy.kind import STAMP

#: Two classes of five pictures.
CLASSES = {
    name: [np.full((3, 32, 32), 20 * i + j, np.uint8) for i in range(5)] for j, name in enumerate(("cup", "plate"))
}


class Settings(Config):
    sketch: str = Setting("", "Sketch", "What to learn.", group="Data", kind=DRAWING)
    text: str = Setting("", "Text", "What to read.", group="Data", kind=UPLOADED_TEXT, max_length=32)
    photos: str = Setting("", "Photos", "What to see.", group="Data", kind=PICTURES, max_length=32)
    stamp: str = Setting("", "Stamp", "What to post.", group="Data", kind=STAMP)
    note: str = Setting("", "Note", "Anything.", group="Data")


class More(Settings):
    """A subclass: its inherited settings keep their kinds."""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("schema", [Settings, More])
def test_a_setting_knows_its_kind(schema: type[Config]) -> None:
    kinds = {name: kind_of(field) for name, field in schema.model_fields.items()}
    assert kinds == {"seed": None, "sketch": DRAWING, "text": UPLOADED_TEXT, "photos": PICTURES} | {
        "stamp": STAMP,
        "note": None,
    }


@pytest.mark.parametrize(
    ("kind", "content", "loaded"),
    [
        (DRAWING, [[0, 0], [1, -1]], np.array([[0, 0], [1, -1]], np.float32)),
        (UPLOADED_TEXT, b"two\r\nlines", "two\nlines"),
        (PICTURES, CLASSES, CLASSES),
        (STAMP, 7, 7),
    ],
    ids=["drawing", "uploaded text", "pictures", "stamp"],
)
def test_content_survives_the_round_trip_through_a_setting(kind: FieldKind, content: object, loaded: object) -> None:
    value = kind.store(content, "field", "Title")
    assert kind.validate(value) == value
    name = {DRAWING.name: "sketch", UPLOADED_TEXT.name: "text", PICTURES.name: "photos", STAMP.name: "stamp"}[kind.name]
    config = settings.check(More, {name: value})
    assert settings.from_text(More, settings.to_text(config)) == config
    np.testing.assert_equal(kind.load(value, "field", "Title"), loaded)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("sketch", "spiral", "Sketch must be a drawing of at most 600 points, as its canvas writes it; it was spiral."),
        ("text", "a" * 31, f"Text must be the name of an uploaded text, as its control writes it; it was {'a' * 31}."),
        (
            "photos",
            "../" + "a" * 29,
            f"Photos must be the name of a set of pictures, as its control writes it; it was ../{'a' * 29}.",
        ),
        ("stamp", "blue", "Stamp must be a stamp such as #7; it was blue."),
    ],
)
def test_a_value_of_another_kind_is_refused(name: str, value: str, sentence: str) -> None:
    with pytest.raises(Refusal) as refused:
        settings.check(Settings, {name: value})
    assert (refused.value.field, str(refused.value)) == (name, sentence)


def test_a_summary_is_short() -> None:
    def summary(kind: FieldKind, value: str) -> str:
        sentence = kind.summary(value)
        assert isinstance(sentence, Sentence)
        return str(sentence)

    assert summary(DRAWING, DRAWING.store([[0, 0]] * 12, "", "")) == "12 points"
    assert summary(UPLOADED_TEXT, UPLOADED_TEXT.store(b"word " * 400, "", "")) == "2.0 KB"
    assert summary(UPLOADED_TEXT, "0" * 32) == "not on this machine"
    assert summary(UPLOADED_TEXT, "") == "none"
    assert summary(PICTURES, PICTURES.store(CLASSES, "", "")) == "10 pictures in 2 classes"
    assert summary(PICTURES, "0" * 32) == "not on this machine"
    assert summary(PICTURES, "") == "none"


def test_a_kind_says_whether_its_contents_are_deleted_with_their_runs() -> None:
    assert isinstance(PICTURES, Kept)
    assert not any(isinstance(kind, Kept) for kind in (DRAWING, UPLOADED_TEXT, STAMP))


def test_the_schema_names_the_kind() -> None:
    """``python -m core list --json`` writes it."""
    properties = Settings.model_json_schema()["properties"]
    assert {name: properties[name].get("kind") for name in ("sketch", "text", "photos", "stamp", "note")} == {
        "sketch": "drawing",
        "text": "uploaded_text",
        "photos": "pictures",
        "stamp": "stamp",
        "note": None,
    }
