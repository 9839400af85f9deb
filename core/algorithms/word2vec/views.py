"""Figures of the panels of words and of the probe, from their snapshots."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from core.events import Array
from core.experiment import Context
from core.figures import (
    Figure,
    as_is,
    axis,
    bars,
    empty_figure,
    figure,
    heading,
    heat_map,
    hidden_axis,
    labels,
    line,
    placed_text,
    points,
    text_lines,
)
from core.palette import BAD, CLASSES, GOOD, INK, TEST, TRAIN, class_colour, faded
from core.words import N_

#: Half the width of a map: no word lies farther from the middle.
_LIMIT = 1.75

#: Names of the sections of questions-words, in the order of its file.
SECTIONS = {
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


def map2d(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The words at their present places; colours are classes, or the chosen words among whose nearest a word is."""
    chosen, words = arrays["queried"], text_lines(arrays["words"])
    epoch, epochs, words_per_s, by_tsne = arrays["about"].tolist()
    traces = []
    for members, name, colour in _groups(arrays, context):
        sizes = np.where(chosen[members], 15, 12 if name else 10).tolist()
        traces.append(
            points(
                *arrays["places"][members].T,
                name=name or N_("others"),
                showlegend=bool(name),
                colour=colour,
                size=np.where(chosen[members], 10, 6).tolist(),
                hover="text",
                mode="markers+text",
                text=[as_is(words[i]) for i in np.flatnonzero(members)],
                textposition="top center",
                textfont={"size": sizes, "color": colour},
            )
        )
    template = (
        N_("epoch {epoch} of {epochs} · {pace} words a second") if words_per_s else N_("epoch {epoch} of {epochs}")
    )
    progress = {"epoch": f"{epoch:.1f}", "epochs": f"{epochs:.0f}", "pace": f"{words_per_s:,.0f}"}
    corner: dict[str, Any] = {"paper": True, "colour": INK}
    plane = hidden_axis(-_LIMIT, _LIMIT)
    return figure(
        traces,
        plane,
        plane,
        annotations=[
            placed_text({"template": template, "values": progress}, 1, 0, xanchor="right", yanchor="bottom", **corner),
            placed_text(N_("t-SNE") if by_tsne else N_("PCA"), 0, 1, xanchor="left", yanchor="top", **corner),
        ],
        legend={"y": 1.0, "yanchor": "bottom"},
        margin={"t": 30, "b": 8},
    )


def map3d(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The same words in space; it can be rotated."""
    words = text_lines(arrays["words"])
    traces = [
        points(
            *arrays["places"][members].T,
            name=name or N_("others"),
            colour=colour,
            size=3 if name else 2,
            opacity=0.9 if name else 0.5,
            hover="text",
            mode="markers+text" if name else "markers",
            text=[as_is(words[i]) for i in np.flatnonzero(members)],
            textfont={"size": 11, "color": colour},
        )
        for members, name, colour in _groups(arrays, context)
    ]
    side = axis(limits=(-_LIMIT, _LIMIT), showticklabels=False, showspikes=False, showbackground=False)
    side |= {"title": {"text": ""}, "gridcolor": faded(INK, 0.25), "zerolinecolor": faded(INK, 0.4)}
    scene = {"xaxis": side, "yaxis": side, "zaxis": side, "aspectmode": "cube"}
    return figure(traces, scene=scene, margin={"t": 0, "b": 0, "l": 0, "r": 0})


def _groups(arrays: Mapping[str, Any], context: Context) -> Iterator[tuple[Array, str, str]]:
    """(which words, what their colour stands for, the colour), those without one first; no group is empty."""
    group, made_up = arrays["group"], getattr(context.config, "corpus", "") == "grammar"
    for i, name in enumerate(["", *text_lines(arrays["names"])], start=-1):
        members = group == i
        if members.any():
            yield members, name if made_up or not name else as_is(name), class_colour(i) if name else INK


def neighbours(arrays: Mapping[str, Any], context: Context) -> Figure:
    """A column for each chosen word: its nearest, the nearest on top; an unknown word's spellings nearest to it."""
    cosine, known = np.asarray(arrays["cosine"], np.float32), arrays["known"]  # (words, k), (words,)
    columns = np.array(text_lines(arrays["words"]), object).reshape(len(cosine), -1)
    heads, shown = columns[:, 0], columns[:, 1:].T  # (words,), (k, words)
    text = [[(word if known[j] else f"{word} ?") if word else "" for j, word in enumerate(row)] for row in shown]
    cells = heat_map(
        np.nan_to_num(cosine).T,
        scale=[[0, faded(TRAIN, 0)], [1, faded(TRAIN, 0.55)]],
        limits=(0, 1),
        hover="%{text} %{z:.2f}",
        text=text,
        xgap=4,
        ygap=2,
    )
    # A heat map's own text takes its cells for opaque and chooses a colour that is not legible.
    y, x = (places.ravel().tolist() for places in np.indices(shown.shape))
    size = 13 if len(heads) < 4 else 11 if len(heads) < 6 else 9
    words = labels(x, y, [as_is(word) if word else "" for row in text for word in row], size=size)
    annotations = []
    for j in np.flatnonzero(~known).tolist():
        unknown = {"template": N_("{word} is not in the text; there are:"), "values": {"word": as_is(heads[j])}}
        annotations.append(placed_text(unknown, j, -0.75, colour=BAD))
    names = [as_is(f"<b>{head}</b>") if known[j] else "" for j, head in enumerate(heads)]
    return figure(
        [cells, words],
        axis(limits=(-0.5, len(heads) - 0.5), names=names, side="top", grid=False, zoom=False),
        hidden_axis(len(shown) - 0.5, -1.0 if annotations else -0.5),
        annotations=annotations,
        margin={"t": 24, "b": 4},
    )


def neighbour_history(arrays: Mapping[str, Any], context: Context) -> Figure:
    """Ranks against epochs; coloured are those that are among the nearest now, named at the end of their lines."""
    word, *words = text_lines(arrays["words"])
    rank, epoch = np.asarray(arrays["rank"], np.int8), np.asarray(arrays["epoch"], np.float32)
    epochs = float(getattr(context.config, "epochs", epoch[-1]))
    places = np.where(rank >= 0, rank + 1.0, np.nan)  # a line is broken where the word was farther off
    traces, annotations = [], []
    for i in np.argsort(rank[:, -1] >= 0, kind="stable").tolist():  # those of now are drawn over the others
        last, name = int(rank[i, -1]), as_is(words[i])
        colour, width, markers = (class_colour(last), 2, 4) if last >= 0 else (faded(INK, 0.45), 0.5, 3)
        drawn: dict[str, Any] = {"width": width, "markers": markers, "hover": "%{fullData.name} %{y}"}
        traces.append(line(epoch, places[i], name=name, showlegend=False, colour=colour, **drawn))
        if last >= 0:
            annotations.append(placed_text(name, float(epoch[-1]), last + 1, xanchor="left", xshift=6, colour=colour))
    annotations.append(heading(f"<b>{as_is(word)}</b>", x=0, xanchor="left"))
    return figure(
        traces,
        axis(N_("epoch"), (-0.02 * epochs, 1.02 * epochs), zeroline=False),
        axis(limits=(float(rank.max()) + 1.6, 0.4), dtick=1, zeroline=False, zoom=False),
        annotations=annotations,
        margin={"t": 24, "r": 90},
    )


def analogy(arrays: Mapping[str, Any], context: Context) -> Figure:
    """The words nearest to a − b + c, the nearest on top."""
    terms, words, unknown = (text_lines(arrays[name]) for name in ("query", "words", "unknown"))
    if not terms:
        return empty_figure(N_("Write three words such as: king - man + woman."))
    if unknown:
        found = N_("{word} is not in the text; spelled nearly so: {found}.")
        values = {"word": as_is(unknown[0]), "found": as_is(", ".join(words))}
        return empty_figure({"template": found if words else N_("{word} is not in the text."), "values": values})
    a, b, c = terms
    return _ranking(words, arrays["cosine"], heading(as_is(f"{a} − {b} + {c} ≈"), colour=INK))


def query_answer(arrays: Mapping[str, Any], context: Context) -> Figure:
    """What is nearest to a word or a sum of words that a person wrote; who clicks a bar goes on from there."""
    (query,), words, unknown = (text_lines(arrays[name]) for name in ("query", "words", "unknown"))
    places = arrays["places"].tolist()
    if not unknown:
        return _ranking(words, arrays["cosine"], heading(as_is(f"{query} ≈"), colour=INK), places)
    template = N_("{word} is not in the text; there are:") if words else N_("{word} is not in the text.")
    title = heading({"template": template, "values": {"word": as_is(unknown[0])}}, colour=BAD)
    chart = _ranking(words, np.ones(len(words)), title, places)
    chart["layout"]["xaxis"] = hidden_axis(0, 1)
    chart["data"][0]["marker"]["color"] = faded(INK, 0.25)  # no cosine: something to click
    return chart


def _ranking(words: list[str], cosine: Array, title: dict[str, Any], places: list[int] | None = None) -> Figure:
    """Words with their cosines, the nearest on top; ``places`` are their numbers, where they can be clicked."""
    rows = list(range(len(words)))
    colours = [GOOD, *[CLASSES[3]] * (len(words) - 1)]
    return figure(
        [bars(cosine, rows, colour=colours, horizontal=True, hover="%{x:.2f}", customdata=places)],
        axis(N_("cosine"), (0, 1)),
        _rows([as_is(word) for word in words]),
        annotations=[title],
        bargap=0.25,
        margin={"t": 28},
    )


def _rows(names: list[str]) -> dict[str, Any]:
    """The axis of horizontal bars, the first on top."""
    return axis(names=names, reverse=True, grid=False, zoom=False)


def sections(arrays: Mapping[str, Any], context: Context) -> Figure:
    """A bar for each section of questions-words: the share answered rightly, of those whose words are all known."""
    right, tested, known, of = arrays["sections"].T  # (sections,) each
    share = right / np.maximum(tested, 1)
    done = bars(
        share,
        list(range(len(share))),
        colour=TEST,
        horizontal=True,
        text=[f"{r} / {n}" if n else "–" for r, n in zip(right, tested, strict=True)],
        textposition="outside",
        cliponaxis=False,
        hover="skip",
    )
    values = {
        "tested": f"{tested.sum():,}",
        "of": f"{of.sum():,}",
        "unknown": f"{100 * (1 - known.sum() / max(of.sum(), 1)):.0f}",
    }
    title = {"template": N_("{tested} of {of} tested; {unknown} % have a word that the text lacks"), "values": values}
    return figure(
        [done],
        axis(limits=(0, max(0.1, 1.25 * float(share.max(initial=0)))), tickformat=".0%"),
        _rows(list(SECTIONS.values())[: len(share)]),
        annotations=[heading(title, x=1, xanchor="right", colour=INK, size=11)],
        bargap=0.2,
        margin={"t": 28},
    )


def coverage(arrays: Mapping[str, Any], context: Context) -> Figure:
    """Of each set of judgements the share whose words all occur in the text, and the share that is left out."""
    known, of = np.asarray(arrays["known"], np.float64).T
    share = known / np.maximum(of, 1)
    inside: dict[str, Any] = {"textposition": "inside", "insidetextanchor": "start", "hover": "skip"}
    rows = [0, 1, 2]
    counts = [f"{k:,.0f} / {n:,.0f}" for k, n in zip(known, of, strict=True)]
    left_out = [f"{1 - s:.0%}" for s in share]
    missing = N_("has a word that the text lacks")
    return figure(
        [
            bars(share, rows, name=N_("judged"), text=counts, colour=TEST, horizontal=True, **inside),
            bars(1 - share, rows, name=missing, text=left_out, colour=faded(INK, 0.3), horizontal=True, **inside),
        ],
        axis(limits=(0, 1), tickformat=".0%"),
        _rows(["WordSim-353", "SimLex-999", "questions-words"]),
        barmode="stack",
        legend=True,
    )
