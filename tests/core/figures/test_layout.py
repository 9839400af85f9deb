"""Axes, text and images against their JSON, written out by hand; Plotly accepts them all."""

import numpy as np

from core.figures import (
    axis,
    empty_figure,
    equal_axes,
    figure,
    fitted_image,
    footnote,
    heading,
    hidden_axis,
    line,
    placed_image,
    placed_text,
    png,
    raster,
    static_array,
)
from core.palette import INK
from tests.core.figures.plain import valid


def test_a_figure_holds_what_it_is_given_and_no_more():
    assert valid(figure()) == {"data": [], "layout": {}}
    trace = line([0], [0], colour="#111111")
    made = valid(figure((t for t in [trace]), axis("a"), axis("b"), legend=True, margin={"t": 3}, xaxis2=axis("c")))
    assert made == {
        "data": [trace],
        "layout": {
            "xaxis": {"title": {"text": "a"}},
            "yaxis": {"title": {"text": "b"}},
            "showlegend": True,
            "margin": {"t": 3},
            "xaxis2": {"title": {"text": "c"}},
        },
    }


def test_a_legend_may_have_a_place_of_its_own():
    layout = valid(figure(legend={"y": 1.0}))["layout"]
    assert layout == {"showlegend": True, "legend": {"y": 1.0}}


def test_an_axis():
    assert axis() == {}
    assert axis(limits=np.array([0, 1.5], np.float32)) == {"range": [0.0, 1.5]}
    assert axis("loss", grid=False, zoom=False, log=True, nticks=3) == {
        "title": {"text": "loss"},
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "type": "log",
        "nticks": 3,
    }
    assert axis(names=["cat", "dog"], reverse=True) == {
        "tickvals": [0, 1],
        "ticktext": ["cat", "dog"],
        "autorange": "reversed",
    }
    assert axis(names={0.5: "½"}) == {"tickvals": [0.5], "ticktext": ["½"]}
    valid(figure(x=axis("loss", (0, 1), names=["a"], grid=False, zoom=False), y=axis(log=True, reverse=True)))


def test_a_hidden_axis_gives_coordinates_and_may_be_zoomed():
    assert hidden_axis(3, -1) == {"visible": False, "range": [3.0, -1.0], "fixedrange": True}
    assert hidden_axis(0, 1, zoom=True) == {"visible": False, "range": [0.0, 1.0]}


def test_equal_axes_share_a_scale():
    x, y = equal_axes((0, 2, -1, 1))
    plain = {"showgrid": False, "zeroline": False, "constrain": "domain"}
    assert x == {"range": [0, 2], **plain}
    assert y == {"range": [-1, 1], **plain, "scaleanchor": "x"}
    x, y = equal_axes((0, 2, -1, 1), hidden=True)
    assert x == {"visible": False, "range": [0, 2], "fixedrange": True, "constrain": "domain"}
    valid(figure(x=x, y=y))


def test_text_at_coordinates_and_on_paper():
    assert placed_text("+3", 1, 2) == {"text": "+3", "x": 1, "y": 2, "showarrow": False}
    assert placed_text("E", 0, 1, paper=True, xanchor="left", yanchor="top", colour=INK, size=11, xshift=6) == {
        "text": "E",
        "x": 0,
        "y": 1,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "top",
        "showarrow": False,
        "font": {"color": INK, "size": 11},
        "xshift": 6,
    }


def test_headings_stand_above_and_footnotes_below():
    sentence = {"template": "value {low}", "values": {"low": 1}}
    on_paper = {"xref": "paper", "yref": "paper", "xanchor": "center", "showarrow": False}
    assert heading(sentence, 0.25) == {"text": sentence, "x": 0.25, "y": 1, "yanchor": "bottom", **on_paper}
    assert heading("a", 1, xanchor="right", size=9)["font"] == {"size": 9}
    below = {"text": "b", "x": 0.5, "y": 0, "yanchor": "top", "font": {"color": INK}, **on_paper}
    assert footnote("b") == below
    valid(figure(annotations=[heading(sentence), footnote("b")]))


def test_an_empty_figure_is_a_sentence_in_the_middle():
    made = valid(empty_figure("Nothing yet."))
    (text,) = made["layout"]["annotations"]
    assert made["data"] == [] and (text["text"], text["x"], text["y"]) == ("Nothing yet.", 0.5, 0.5)
    assert made["layout"]["xaxis"]["visible"] is made["layout"]["yaxis"]["visible"] is False


def test_an_image_is_stretched_over_its_extent_whichever_way_the_axis_runs():
    tints = raster(np.zeros((1, 1), np.uint8), "grey")
    expected = {
        "source": tints,
        "xref": "x2",
        "yref": "y3",
        "x": 1,
        "y": 7,
        "sizex": 2,
        "sizey": 3,
        "sizing": "stretch",
        "layer": "below",
    }
    assert placed_image(tints, np.array([1, 3, 4, 7]), "x2", "y3") == expected
    downwards = placed_image(static_array("scene", "edge_png"), (0, 1, 24, 0))
    assert (downwards["y"], downwards["sizey"], downwards["source"]) == (0, 24, {"fixed": ["scene", "edge_png"]})
    valid(figure(images=[placed_image(tints, (0, 1, 0, 1))]))


def test_a_fitted_image_keeps_its_proportions():
    file = np.frombuffer(b"\x89PNG", np.uint8)
    assert fitted_image(png(file), 0.25, 0.48) == {
        "source": "data:image/png;base64,iVBORw==",
        "xref": "paper",
        "yref": "paper",
        "x": 0.25,
        "y": 0.5,
        "xanchor": "center",
        "yanchor": "middle",
        "sizex": 0.48,
        "sizey": 1,
        "sizing": "contain",
        "layer": "below",
    }
    valid(figure(images=[fitted_image(png(file))]))
