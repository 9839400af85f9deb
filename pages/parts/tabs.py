"""What there is to read beneath the stage: the lesson, the code that runs, and this person's runs."""

import importlib.util
from pathlib import Path

import streamlit as st

from core.experiment import Experiment
from pages.parts.draft import Draft
from pages.parts.language import _, language
from pages.parts.runs import runs
from pages.parts.watched_run import WatchedRun

_ALGORITHMS = Path(__file__).parents[2] / "core" / "algorithms"


@st.fragment
def tabs(experiment: Experiment, draft: Draft, watched: WatchedRun | None) -> None:
    """Learn, Code and Runs; only the open one is made."""
    learn, code, mine = st.tabs(
        [_("Learn"), _("Code"), _("Runs")], key=f"tabs.{experiment.slug}.{language()}", on_change="rerun"
    )
    if learn.open:
        with learn:
            _learn(experiment)
    if code.open:
        with code:
            _code(experiment)
    if mine.open:
        with mine:
            runs(experiment, draft, watched)


def _learn(experiment: Experiment) -> None:
    text = _ALGORITHMS / experiment.slug / f"learn.{language()}.md"
    with st.container(key="learn"):
        st.markdown(text.read_text(encoding="utf-8"))


def _code(experiment: Experiment) -> None:
    """The very files that the worker runs."""
    train = importlib.util.find_spec(experiment.program)
    if train is None or train.origin is None:
        return
    folder = Path(train.origin).parent
    for path in (folder / "model.py", Path(train.origin)):
        if not path.exists():
            continue
        source = path.read_text(encoding="utf-8")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(path.name, anchor=False, width="content")
            st.download_button(
                _("Download {file}", file=path.name),
                source,
                file_name=f"{experiment.slug}_{path.name}",
                mime="text/x-python",
                icon=":material/download:",
                type="tertiary",
                key=f"download.{experiment.slug}.{path.name}",
                on_click="ignore",
            )
        st.code(source, language="python", line_numbers=True, height=520)
