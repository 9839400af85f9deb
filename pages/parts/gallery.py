"""The cards of the home page."""

from pathlib import Path

import streamlit as st

from core.experiment import Experiment
from core.registry import experiments
from pages.parts.language import _, say

_ROOT = Path(__file__).parents[2]


def gallery() -> None:
    """What Tenfold is, and a card for each algorithm that exists."""
    with st.container(key="welcome", gap=None):
        st.title("Tenfold", anchor=False)
        st.markdown(_("Watch a neural network learn: real data, a real PyTorch training, as it happens."))
        st.markdown(
            _("Choose an algorithm, press Train, and look inside. Pause it, step it, turn its knobs, rewind it.")
        )
    with st.grid(columns="auto", min_column_width=300, gap="medium"):
        for experiment in experiments().values():
            _card(experiment)


def _card(experiment: Experiment) -> None:
    with st.container(border=True, key=f"card.{experiment.slug}"):
        picture = _ROOT / "assets" / "recorded" / experiment.slug / "picture.png"
        if picture.exists():
            st.image(str(picture), width="stretch")
        page = str(_ROOT / "pages" / f"{experiment.slug}.py")
        st.page_link(page, label=f"**{say(experiment.title)}**", icon=":material/play_circle:")
        st.markdown(say(experiment.tagline))
        st.caption(f"{experiment.paper.authors.split(',')[0]} · {experiment.paper.year}")
