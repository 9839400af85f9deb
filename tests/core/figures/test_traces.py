"""Each trace against its JSON, written out by hand; Plotly accepts them all."""

import ast
import json
from pathlib import Path

import numpy as np
import pytest

import core.algorithms
from core.figures import (
    bars,
    distribution,
    figure,
    heat_map,
    histogram,
    labels,
    line,
    points,
    segments,
    static_array,
    surface,
)
from core.palette import CLASSES, colour_scale
from tests.core.figures.plain import unpacked, valid


def made(trace):
    """The trace with its arrays as lists, after Plotly has accepted it and JSON has no number that is none."""
    json.dumps(trace, allow_nan=False)
    return unpacked(valid(figure([trace]))["data"][0])


def test_points_of_one_colour():
    expected = {
        "type": "scatter",
        "mode": "markers",
        "x": [1.0, 2.0],
        "y": [3.0, None],
        "name": "real",
        "hoverinfo": "x+y",
        "marker": {"symbol": "circle", "size": 5, "color": "#123456", "line": {"width": 1, "color": "#ffffff"}},
    }
    x, y = np.array([1, 2], np.float16), np.array([3, np.nan])
    assert made(points(x, y, colour="#123456", size=5, outline=1, name="real")) == expected


def test_numbers_travel_as_base64_floats_as_float32_and_lists_as_they_are():
    trace = points(np.array([1.0, 2.0]), [1, 2], colour="#000000")
    assert trace["x"] == {"dtype": "f4", "bdata": "AACAPwAAAEA="}
    assert trace["y"] == [1, 2]
    assert points(np.array([1, 2]), [], colour="#000000")["x"]["dtype"] == "i4"


def test_points_coloured_by_class_and_by_value():
    classes = made(points([0, 1], [0, 1], colour=np.array([0, 9], np.uint8), scale="classes", opacity=0.5))["marker"]
    assert classes == {
        "symbol": "circle",
        "size": 7,
        "color": [0, 9],
        "colorscale": colour_scale("classes"),
        "cmin": -0.5,
        "cmax": 9.5,
        "opacity": 0.5,
    }
    bar = {"dtick": 1}
    values = made(points([0], [0], colour=np.array([3.0]), scale="sequential", limits=(2, 4), colour_bar=bar))["marker"]
    assert (values["cmin"], values["cmax"], values["color"], values["colorbar"]) == (2, 4, [3.0], bar)
    assert values["colorscale"][0] == [0, "#440154"] and values["colorscale"][-1] == [1, "#fde725"]


def test_an_open_symbol_has_an_outline_of_its_own_colour():
    assert points([0], [0], colour="#111111", symbol="circle-open", outline=2)["marker"]["line"] == {"width": 2}
    dark = points([0], [0], colour="#ffffff", outline=3, outline_colour="#000000")["marker"]["line"]
    assert dark == {"width": 3, "color": "#000000"}
    assert "line" not in points([0], [0], colour="#111111")["marker"]


def test_points_in_space_and_by_webgl():
    assert made(points([0], [1], [2], colour="#111111"))["type"] == "scatter3d"
    assert made(points([0], [1], [2], colour="#111111"))["z"] == [2]
    assert made(points([0], [1], colour="#111111", webgl=True))["type"] == "scattergl"


def test_what_never_changes_is_referred_to():
    trace = points(static_array("scene", "x"), static_array("scene", "y"), colour="#111111")
    assert (trace["x"], trace["y"]) == ({"fixed": ["scene", "x"]}, {"fixed": ["scene", "y"]})


@pytest.mark.parametrize(
    "trace",
    [
        points([0], [0], colour="#111111"),
        line([0], [0], colour="#111111"),
        bars([0], [0], colour="#111111"),
        labels([0], [0], ["a"]),
    ],
    ids=["points", "line", "bars", "labels"],
)
def test_a_trace_without_a_name_is_not_in_the_legend(trace):
    assert made(trace)["showlegend"] is False and "name" not in trace


def test_a_pointer_shows_what_the_trace_says():
    def hover(text):
        trace = line([0], [0], colour="#111111", hover=text)
        return {key: value for key, value in made(trace).items() if key.startswith("hover")}

    assert hover("skip") == {"hoverinfo": "skip"}
    assert hover("%{y:.2f}") == {"hovertemplate": "%{y:.2f}<extra></extra>"}, "hoverinfo 'skip' would suppress it"
    assert hover("") == {}


def test_a_line_and_its_markers():
    assert made(line([0, 1], [2, 3], colour="#123456", width=4, dash="dot", name="a", opacity=0.5)) == {
        "type": "scatter",
        "mode": "lines",
        "x": [0, 1],
        "y": [2, 3],
        "line": {"width": 4, "color": "#123456", "dash": "dot"},
        "name": "a",
        "hoverinfo": "skip",
        "opacity": 0.5,
    }
    marked = made(line([0], [0], colour="#123456", markers=6))
    assert (marked["mode"], marked["marker"]) == ("lines+markers", {"size": 6, "color": "#123456"})


def test_segments_are_one_line_with_gaps():
    places = np.array([[[0, 1], [2, 3]], [[4, 5], [6, 7]]])
    trace = made(segments(places, colour="#123456", width=1, name="edges"))
    assert trace["x"] == [0, 2, None, 4, 6, None] and trace["y"] == [1, 3, None, 5, 7, None]
    assert (trace["mode"], trace["line"], trace["name"]) == ("lines", {"width": 1, "color": "#123456"}, "edges")
    longer = made(segments(np.arange(12).reshape(2, 3, 2), colour="#123456"))
    assert longer["x"] == [0, 2, 4, None, 6, 8, 10, None]
    assert made(segments(np.zeros((0, 2, 2)), colour="#123456"))["x"] == []


def test_a_distribution_begins_and_ends_on_its_base():
    trace = made(distribution(np.array([2.0, 0.0, 1.0]), 0, 3, base=10, colour="#123456"))
    assert trace["x"] == [0, 0.5, 1.5, 2.5, 3] and trace["y"] == [10, 12, 10, 11, 10]
    assert (trace["fill"], trace["line"]) == ("toself", {"width": 2, "color": "#123456"})


def test_a_histogram_has_a_bar_for_each_bin():
    trace = made(histogram(np.array([1, 2, 3, 4]), -1, 1, colour="#123456", name="held", hover="skip"))
    assert trace == {
        "type": "bar",
        "x": [-0.75, -0.25, 0.25, 0.75],
        "y": [1, 2, 3, 4],
        "width": 0.5,
        "marker": {"color": "#123456"},
        "name": "held",
        "hoverinfo": "skip",
    }


def test_a_histogram_of_a_single_value_can_be_seen():
    trace = made(histogram(np.array([5, 0]), 1, 1, colour="#123456"))
    assert trace["width"] == 0.4 and trace["x"] == pytest.approx([1, 1], abs=1e-5)


def test_bars_stand_or_lie():
    assert made(bars(["A", "B"], np.array([1.0, 2.0]), colour="#123456")) == {
        "type": "bar",
        "x": ["A", "B"],
        "y": [1, 2],
        "marker": {"color": "#123456"},
        "showlegend": False,
    }
    lying = made(bars([1, 2], [0, 1], colour=list(CLASSES[:2]), horizontal=True, hover="%{x}", customdata=[7, 8]))
    assert (lying["orientation"], lying["customdata"]) == ("h", [7, 8])
    assert lying["hovertemplate"] == "%{x}<extra></extra>" and lying["marker"]["color"] == list(CLASSES[:2])


def test_a_heat_map_of_cells():
    assert made(
        heat_map(np.array([[1.0, np.nan], [3.0, 4.0]]), scale="grey", limits=(0, 4), text=[["a", ""], ["", ""]])
    ) == {
        "type": "heatmap",
        "z": [[1, None], [3, 4]],
        "colorscale": [[0, "#000000"], [1, "#ffffff"]],
        "zmin": 0,
        "zmax": 4,
        "xgap": 1,
        "ygap": 1,
        "showscale": False,
        "hoverinfo": "skip",
        "text": [["a", ""], ["", ""]],
    }
    free = made(heat_map(np.eye(2), scale=[[0, "#000000"], [1, "#123456"]], gap=3, xgap=4, hover="%{z:.3f}"))
    assert "zmin" not in free and (free["xgap"], free["ygap"]) == (4, 3)
    assert free["hovertemplate"] == "%{z:.3f}<extra></extra>" and "hoverinfo" not in free


def test_labels_are_text_and_nothing_else():
    assert made(labels([0.5], [1], ["7 → 1"], size=9)) == {
        "type": "scatter",
        "mode": "text",
        "x": [0.5],
        "y": [1],
        "text": ["7 → 1"],
        "textfont": {"size": 9},
        "showlegend": False,
        "hoverinfo": "skip",
    }


def test_a_surface_in_space():
    found = made(surface(np.arange(2.0), np.arange(3.0), np.full((3, 2), np.nan), scale="sequential", limits=(-1, 2)))
    assert (found["type"], found["scene"], found["cmin"], found["cmax"]) == ("surface", "scene", -1, 2)
    assert found["z"] == [[None, None]] * 3 and found["connectgaps"], "what is not known yet leaves no hole"


def test_views_make_their_traces_with_the_builders():
    kinds = {"scatter", "scattergl", "scatter3d", "bar", "heatmap", "surface", "histogram", "contour", "image"}
    by_hand = []
    for file in Path(core.algorithms.__path__[0]).glob("*/*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            pairs = zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ()
            if any(ast.unparse(key or node) == "'type'" and ast.unparse(value)[1:-1] in kinds for key, value in pairs):
                by_hand.append(f"{file.parent.name}/{file.name}:{node.lineno}")
    assert not by_hand, "traces that core.figures can make"
