"""Figures of the panels of words, from their snapshots."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core import palette
from core.events import Array
from core.experiment import Context
from core.figures import packed
from core.words import N_

_BARE = {"visible": False, "fixedrange": True}
_INK = "#808080"  # reads on dark and on light

#: Before each word of a text: a browser looks up what it shows, and a word that happens to be one of the page's own
#: would come out translated. The character has no width.
_AS_IS = "\u2060"

#: Half the width of a map: no word lies farther from the middle.
_REACH = 1.75

_SECTIONS = {
    "capital-common-countries": N_("capitals, well known"),
    "capital-world": N_("capitals"),
    "currency": N_("currencies"),
    "city-in-state": N_("cities and states"),
    "family": N_("family"),
    "gram1-adjective-to-adverb": N_("adverbs"),
    "gram2-opposite": N_("opposites"),
    "gram3-comparative": N_("comparatives"),
    "gram4-superlative": N_("superlatives"),
    "gram5-present-participle": N_("participles"),
    "gram6-nationality-adjective": N_("nationalities"),
    "gram7-past-tense": N_("past tense"),
    "gram8-plural": N_("plurals"),
    "gram9-plural-verbs": N_("third person"),
}

_KINDS = (
    N_("animal"),
    N_("person"),
    N_("food"),
    N_("place"),
    N_("colour"),
    N_("eating"),
    N_("going"),
    N_("saying"),
    N_("time"),
)


def map2d(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The words where they stand now; colours are kinds, or the typed words among whose nearest a word is."""
    places, words = np.asarray(arrays["places"], np.float32), _words(arrays["words"])
    typed = np.asarray(arrays["typed"], bool)
    epoch, epochs, pace, _, by_tsne = (float(v) for v in arrays["about"])
    group = np.asarray(arrays["group"])
    traces = []
    for here, name, colour in _groups(group, _words(arrays["names"]), context):
        sizes = np.where(typed[here], 15, 12 if name else 10)
        traces.append(
            {
                "type": "scatter",
                "mode": "markers+text",
                "name": name or N_("others"),
                "x": packed(places[here, 0]),
                "y": packed(places[here, 1]),
                "text": [_AS_IS + words[i] for i in np.flatnonzero(here)],
                "textposition": "top center",
                "textfont": {"size": sizes.tolist(), "color": colour},
                "marker": {"size": np.where(typed[here], 10, 6).tolist(), "color": colour},
                "hoverinfo": "text",
                "showlegend": bool(name),
            }
        )
    said = N_("epoch {epoch} of {epochs} · {pace} words a second") if pace else N_("epoch {epoch} of {epochs}")
    values = {"epoch": f"{epoch:.1f}", "epochs": f"{epochs:.0f}", "pace": f"{pace:,.0f}"}
    axis = {**_BARE, "range": [-_REACH, _REACH]}
    return {
        "data": traces,
        "layout": {
            "xaxis": axis,
            "yaxis": axis,
            "showlegend": True,
            "legend": {"y": 1.0, "yanchor": "bottom"},
            "annotations": [
                _note({"template": said, "values": values}, 1, 0, "right", "bottom"),
                _note(N_("t-SNE") if by_tsne else N_("PCA"), 0, 1, "left", "top"),
            ],
            "margin": {"t": 30, "b": 8},
        },
    }


def map3d(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The same words in space; it can be turned."""
    places, words = np.asarray(arrays["places"], np.float32), _words(arrays["words"])
    traces = []
    for here, name, colour in _groups(np.asarray(arrays["group"]), _words(arrays["names"]), context):
        traces.append(
            {
                "type": "scatter3d",
                "mode": "markers+text" if name else "markers",
                "name": name or N_("others"),
                "x": packed(places[here, 0]),
                "y": packed(places[here, 1]),
                "z": packed(places[here, 2]),
                "text": [_AS_IS + words[i] for i in np.flatnonzero(here)],
                "textfont": {"size": 11, "color": colour},
                "marker": {"size": 3 if name else 2, "color": colour, "opacity": 0.9 if name else 0.5},
                "hoverinfo": "text",
            }
        )
    axis = {"range": [-_REACH, _REACH], "showticklabels": False, "title": {"text": ""}, "showspikes": False}
    axis |= {"gridcolor": "rgba(128,128,128,0.25)", "zerolinecolor": "rgba(128,128,128,0.4)", "showbackground": False}
    return {
        "data": traces,
        "layout": {
            "scene": {"xaxis": axis, "yaxis": axis, "zaxis": axis, "aspectmode": "cube"},
            "showlegend": False,
            "margin": {"t": 0, "b": 0, "l": 0, "r": 0},
        },
    }


def neighbours(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """A column for each typed word: its nearest, the nearest on top; an unknown word's spellings nearest to it."""
    cosine, known = np.asarray(arrays["cosine"], np.float32), np.asarray(arrays["known"], bool)
    columns = np.array(_words(arrays["words"]), object).reshape(len(cosine), -1)
    heads, shown = columns[:, 0], columns[:, 1:].T  # (SHOWN, k)
    text = [[(word if known[j] else f"{word} ?") if word else "" for j, word in enumerate(row)] for row in shown]
    notes = [
        {
            "text": {"template": N_("{word} is not in the text; there are:"), "values": {"word": _AS_IS + heads[j]}},
            "x": int(j),
            "y": -0.75,
            "showarrow": False,
            "font": {"color": palette.BAD},
        }
        for j in np.flatnonzero(~known)
    ]
    z = np.where(np.isnan(cosine), 0, cosine).T
    return {
        "data": [
            {
                "type": "heatmap",
                "z": packed(np.ascontiguousarray(z)),
                "text": text,
                "colorscale": [[0, "rgba(63,144,218,0)"], [1, "rgba(63,144,218,0.55)"]],
                "zmin": 0,
                "zmax": 1,
                "xgap": 4,
                "ygap": 2,
                "showscale": False,
                "hovertemplate": "%{text} %{z:.2f}<extra></extra>",
            },
            {  # a heatmap's own text takes its cells for opaque and chooses a colour that cannot be read
                "type": "scatter",
                "mode": "text",
                "x": [j for row in text for j in range(len(row))],
                "y": [i for i, row in enumerate(text) for _ in row],
                "text": [_AS_IS + word if word else "" for row in text for word in row],
                "textfont": {"size": 13 if len(heads) < 4 else 11 if len(heads) < 6 else 9},
                "hoverinfo": "skip",
                "showlegend": False,
            },
        ],
        "layout": {
            "xaxis": {
                "side": "top",
                "range": [-0.5, len(heads) - 0.5],
                "tickvals": list(range(len(heads))),
                "ticktext": [f"{_AS_IS}<b>{head}</b>" if known[j] else "" for j, head in enumerate(heads)],
                "showgrid": False,
                "zeroline": False,
                "fixedrange": True,
            },
            "yaxis": {**_BARE, "range": [len(shown) - 0.5, -1.0 if len(notes) else -0.5]},
            "annotations": notes,
            "margin": {"t": 24, "b": 4},
        },
    }


def analogy(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The words nearest to a − b + c, the nearest on top."""
    asked, words = _words(arrays["asked"]), _words(arrays["words"])
    unknown, cosine = _words(arrays["unknown"]), np.asarray(arrays["cosine"], np.float32)
    if not asked:
        return _empty(N_("Write three words such as: king - man + woman."))
    if unknown:
        found = ", ".join(words)
        text = (
            N_("{word} is not in the text; spelled nearly so: {found}.") if words else N_("{word} is not in the text.")
        )
        return _empty({"template": text, "values": {"word": _AS_IS + unknown[0], "found": _AS_IS + found}})
    a, b, c = asked
    return _ranked(f"{a} − {b} + {c}", words, cosine)


def answer(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """What is nearest to a word or a sum of words that a person asked for; who clicks a bar goes on from there."""
    (asked,), words = _words(arrays["asked"]), _words(arrays["words"])
    places = np.asarray(arrays["places"]).tolist()
    if len(arrays["unknown"]):
        figure = _ranked(asked, words, np.ones(len(words), np.float32), places)
        said = N_("{word} is not in the text; there are:") if words else N_("{word} is not in the text.")
        values = {"word": _AS_IS + _words(arrays["unknown"])[0]}
        note = _note({"template": said, "values": values}, 0.5, 1, "center", "bottom")
        figure["layout"]["annotations"] = [note | {"font": {"color": palette.BAD}}]
        figure["layout"]["xaxis"] = {**_BARE, "range": [0, 1]}
        figure["data"][0]["marker"]["color"] = "rgba(128,128,128,0.25)"  # no cosine: something to click
        return figure
    return _ranked(asked, words, np.asarray(arrays["cosine"], np.float32), places)


def _ranked(asked: str, words: list[str], cosine: Array, places: list[int] | None = None) -> dict[str, Any]:
    """Words with their cosines, the nearest on top."""
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": packed(cosine),
                "y": list(range(len(cosine))),
                "customdata": places,
                "marker": {"color": [palette.GOOD] + [palette.CLASSES[3]] * (len(cosine) - 1)},
                "hovertemplate": "%{x:.2f}<extra></extra>",
            }
        ],
        "layout": {
            "xaxis": {"range": [0, 1], "title": {"text": N_("cosine")}},
            "yaxis": {
                "tickvals": list(range(len(words))),
                "ticktext": [_AS_IS + word for word in words],
                "autorange": "reversed",
                "showgrid": False,
                "fixedrange": True,
            },
            "annotations": [_note(f"{_AS_IS}{asked} ≈", 0.5, 1, "center", "bottom")],
            "bargap": 0.25,
            "margin": {"t": 28},
        },
    }


def sections(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """A bar for each section of questions-words: the share answered rightly, of those whose words are all known."""
    rows = np.asarray(arrays["sections"])
    names = list(_SECTIONS.values())
    share = rows[:, 0] / np.maximum(rows[:, 1], 1)
    text = [f"{right} / {asked}" if asked else "–" for right, asked, *_ in rows.tolist()]
    asked, known, of = (int(rows[:, i].sum()) for i in (1, 2, 3))
    said = N_("{asked} of {of} asked; {unknown} % have a word that the text lacks")
    values = {"asked": f"{asked:,}", "of": f"{of:,}", "unknown": f"{100 * (1 - known / max(of, 1)):.0f}"}
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": packed(share.astype(np.float32)),
                "y": list(range(len(rows))),
                "text": text,
                "textposition": "outside",
                "cliponaxis": False,
                "marker": {"color": palette.TEST},
                "hoverinfo": "skip",
            }
        ],
        "layout": {
            "xaxis": {"range": [0, max(0.1, 1.25 * float(share.max(initial=0)))], "tickformat": ".0%"},
            "yaxis": {
                "tickvals": list(range(len(rows))),
                "ticktext": names[: len(rows)],
                "autorange": "reversed",
                "showgrid": False,
                "fixedrange": True,
            },
            "annotations": [
                {
                    **_note({"template": said, "values": values}, 1, 1, "right", "bottom"),
                    "font": {"size": 11, "color": _INK},
                }
            ],
            "bargap": 0.2,
            "margin": {"t": 28},
        },
    }


def coverage(arrays: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Of each set of judgements the share whose words all occur in the text, and the share that is left out."""
    known, of = np.asarray(arrays["known"], np.float64).T
    share = known / np.maximum(of, 1)
    names = ["WordSim-353", "SimLex-999", "questions-words"]
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "x": packed(values.astype(np.float32)),
            "y": [0, 1, 2],
            "text": text,
            "textposition": "inside",
            "insidetextanchor": "start",
            "marker": {"color": colour},
            "hoverinfo": "skip",
        }
        for name, values, colour, text in (
            (N_("judged"), share, palette.TEST, [f"{k:,.0f} / {n:,.0f}" for k, n in zip(known, of, strict=True)]),
            (N_("has a word that the text lacks"), 1 - share, "rgba(128,128,128,0.3)", [f"{1 - s:.0%}" for s in share]),
        )
    ]
    return {
        "data": bars,
        "layout": {
            "barmode": "stack",
            "xaxis": {"range": [0, 1], "tickformat": ".0%"},
            "yaxis": {
                "tickvals": [0, 1, 2],
                "ticktext": names,
                "autorange": "reversed",
                "showgrid": False,
                "fixedrange": True,
            },
            "showlegend": True,
        },
    }


def _words(raw: Any) -> list[str]:
    """The words of a snapshot, a line each."""
    text = np.ascontiguousarray(raw).tobytes().decode("utf-8")
    return text.split("\n") if text else []


def _groups(group: Array, names: list[str], context: Context) -> list[tuple[Array, str, str]]:
    """(which words, what their colour stands for, the colour), those without one first."""
    made = getattr(context.config, "corpus", "") == "grammar"
    found = [(group == -1, "", _INK)]
    for i, name in enumerate(names):
        colour = palette.CLASSES[i % len(palette.CLASSES)]
        found.append((group == i, name if made else _AS_IS + name, colour))
    return [(here, name, colour) for here, name, colour in found if here.any()]


def _note(text: Any, x: float, y: float, xanchor: str, yanchor: str) -> dict[str, Any]:
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": x,
        "y": y,
        "xanchor": xanchor,
        "yanchor": yanchor,
        "showarrow": False,
        "font": {"color": _INK},
    }


def _empty(text: Any) -> dict[str, Any]:
    bare = {**_BARE, "range": [0, 1]}
    return {
        "data": [],
        "layout": {"xaxis": bare, "yaxis": bare, "annotations": [_note(text, 0.5, 0.5, "center", "middle")]},
    }
