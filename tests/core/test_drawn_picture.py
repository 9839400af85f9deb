"""Pictures drawn on the canvas of a probe, as a request holds them."""

import base64
from typing import Annotated

import numpy as np
import pytest
from pydantic import Field

from core import settings
from core.drawn_picture import Drawn, DrawnPicture, ink
from core.experiment import Request
from core.words import Refusal


class Question(Request):
    drawing: DrawnPicture = Field("", title="Drawing")
    small: Annotated[str, Drawn(2)] = Field("", title="Small drawing")


def written(cells: np.ndarray) -> str:
    return base64.urlsafe_b64encode(cells.astype(np.uint8).tobytes()).decode().rstrip("=")


def test_a_picture_is_read_row_by_row_from_the_top() -> None:
    cells = np.random.default_rng(0).integers(0, 256, (56, 56))
    question = settings.check(Question, {"drawing": written(cells)})
    assert np.array_equal(ink(question.drawing, 56), cells)
    # By hand: 000000 000000 000100 000010 111111 11
    assert ink("AAEC_w", 2).tolist() == [[0, 1], [2, 255]]


def test_where_nothing_was_drawn_all_is_paper() -> None:
    assert settings.check(Question, {}).drawing == ""
    paper = ink("", 3)
    assert paper.shape == (3, 3) and paper.dtype == np.uint8 and not paper.any()


@pytest.mark.parametrize(
    "text",
    ["A", "AAEC", "AAEC_w==", "AAEC/w", "AAEC w", "AAEC_é", "AAEC_wAA", "A" * 10_000],
    ids=["short", "cut", "padded", "standard alphabet", "space", "not ascii", "long", "very long"],
)
def test_what_is_no_picture_of_its_size_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="must have 2 × 2 cells") as refusal:
        settings.check(Question, {"small": text})
    assert refusal.value.field == "small"
    with pytest.raises(Refusal):
        ink(text, 2)


def test_the_length_is_checked_before_anything_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base64, "urlsafe_b64decode", lambda text: pytest.fail("decoded"))
    with pytest.raises(Refusal):
        ink("A" * 10_000_000, 56)
