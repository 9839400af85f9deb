"""A drawing survives the round trip through its text; damaged text is refused."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import drawing
from core.words import Refusal

pairs = st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), max_size=drawing.MOST)


@given(pairs)
@settings(deadline=None)
def test_points_come_back_where_they_were(drawn: list[tuple[float, float]]) -> None:
    text = drawing.text(np.array(drawn).reshape(-1, 2))
    read = drawing.points(text)
    assert read.dtype == np.float32 and read.shape == (len(drawn), 2)
    assert np.abs(read - np.array(drawn).reshape(-1, 2)).max(initial=0) <= 1 / 254 + 1e-6
    assert drawing.text(read) == text


def test_the_text_is_url_safe_base64() -> None:
    """Counted by hand: 127 127 is 01111111 01111111, in sixes 31 55 60, in base64's letters f 3 8."""
    assert drawing.text([[0, 0]]) == "f38"
    assert drawing.points("f38").tolist() == [[0.0, 0.0]]
    corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]]
    assert drawing.points(drawing.text(corners)).tolist() == corners
    assert drawing.points("").shape == (0, 2)


def test_it_is_safe_in_an_address_and_short() -> None:
    text = drawing.text(np.random.default_rng(0).uniform(-1, 1, (5000, 2)))
    assert re.fullmatch("[A-Za-z0-9_-]{1600}", text)


def test_what_is_long_is_thinned_evenly() -> None:
    line = np.stack([np.linspace(-1, 1, 6000), np.zeros(6000)], axis=1)
    thinned = drawing.points(drawing.text(line))
    assert len(thinned) == drawing.MOST
    assert np.abs(thinned[:, 0] - np.linspace(-1, 1, drawing.MOST)).max() <= 1 / 254 + 2 / 6000


def test_what_lies_beyond_moves_to_the_edge() -> None:
    assert drawing.points(drawing.text([[-7, 7]])).tolist() == [[-1.0, 1.0]]


@pytest.mark.parametrize("damaged", ["f", "f3", "f38=", "f3 8", "f39", "____", "f38f", "f3/+", "点", "A" * 5])
def test_damaged_text_is_refused(damaged: str) -> None:
    """Cut letters, foreign ones, a cell that there is not, half a point, bits that no encoder writes."""
    with pytest.raises(Refusal, match="This drawing cannot be read"):
        drawing.points(damaged)


@given(st.text(max_size=12) | st.text("AQgw_-=", max_size=12))
@settings(deadline=None)
def test_any_text_is_points_or_refused(text: str) -> None:
    try:
        assert drawing.text(drawing.points(text)) == text
    except Refusal as refusal:
        assert str(refusal)


def test_too_many_points_are_counted() -> None:
    with pytest.raises(Refusal, match="at most 600 points; this one has 603"):
        drawing.points("f39_f39_" * 201)


@pytest.mark.parametrize("points", [[[0, np.nan]], [0, 0], [[0, 0, 0]]])
def test_an_array_that_is_no_drawing_is_an_error(points: list[object]) -> None:
    with pytest.raises(ValueError, match="array"):
        drawing.text(points)
