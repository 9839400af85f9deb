"""The home page: what Tenfold is, the first algorithm large, and a card for each of the others."""

import streamlit as st

from core.experiment import Experiment
from core.registry import experiments
from core.runs.store.paths import PROJECT, RECORDED
from core.words import Sentence
from pages.parts.language import _, to_markdown
from pages.parts.markdown import escape


def gallery() -> None:
    """A first view with one thing to do, what one can do there, and the cards."""
    first, *others = experiments().values()
    with st.container(key="first"):
        _first(first)
    with st.container(key="verbs"):
        _verbs()
    if others:
        with st.container(key="cards"), st.grid(columns="auto", min_column_width=300, gap="medium"):
            for experiment in others:
                _card(experiment)


def _first(experiment: Experiment) -> None:
    with st.container(key=f"card.{experiment.slug}"):
        words, picture = st.columns([5, 6], gap="large", vertical_alignment="center")
        with words:
            st.title(_("Watch a neural network learn"), anchor=False)
            with st.container(key="lead"):
                st.markdown(_("Real data and a real PyTorch training, drawn as it happens. Press Train, look inside."))
            _open(experiment, _("Open: {title}", title=Sentence(experiment.title)))
            st.markdown(to_markdown(experiment.tagline))
            st.caption(_source(experiment))
        with picture:
            _picture(experiment)


def _verbs() -> None:
    verbs = (
        (":material/visibility:", _("Watch"), _("Its output, its curves and its inside, while it trains.")),
        (
            ":material/tune:",
            _("Command"),
            _("Pause it, make a single step, slow it down, change its learning rate midway."),
        ),
        (
            ":material/history:",
            _("Rewind"),
            _("Drag the time line to any moment. The same seed gives the same curve."),
        ),
    )
    for column, (icon, verb, what) in zip(st.columns(3, gap="large"), verbs, strict=True):
        with column:
            st.markdown(f"### :primary[{icon}] {verb}\n{what}")


def _card(experiment: Experiment) -> None:
    with st.container(border=True, key=f"card.{experiment.slug}"):
        _picture(experiment)
        _open(experiment, to_markdown(experiment.title))
        st.markdown(to_markdown(experiment.tagline))
        st.caption(_source(experiment))


def _picture(experiment: Experiment) -> None:
    """From its recorded run."""
    picture = RECORDED / experiment.slug / "picture.png"
    if picture.exists():
        st.image(str(picture), width="stretch")


def _open(experiment: Experiment, label: str) -> None:
    page = str(PROJECT / "pages" / f"{experiment.slug}.py")
    st.page_link(page, label=f"**{label}**", icon=":material/play_circle:")


def _source(experiment: Experiment) -> str:
    return escape(f"{experiment.paper.authors.split(',')[0]} · {experiment.paper.year}")
