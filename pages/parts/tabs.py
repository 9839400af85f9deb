"""What there is to read beneath the stage: the lesson, the code that runs, and this person's runs."""

import ast
import importlib.util
from pathlib import Path

import streamlit as st

from core.experiment import Experiment
from core.runs.store.paths import PROJECT
from pages.parts.draft import Draft
from pages.parts.language import _, language
from pages.parts.markdown import escape
from pages.parts.runs import runs
from pages.parts.watched_run import WatchedRun


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
    text = PROJECT / "core" / "algorithms" / experiment.slug / f"learn.{language()}.md"
    with st.container(key="learn"):
        st.markdown(text.read_text(encoding="utf-8"))


def sources(experiment: Experiment) -> list[Path]:
    """The files that make up the training, in reading order."""
    package = importlib.util.find_spec(experiment.program)
    folders = package.submodule_search_locations if package else None
    return [Path(folders[0]) / f"{name}.py" for name in experiment.source] if folders else []


def idea(source: str) -> str:
    """The first line of a module's opening docstring, empty where it has none."""
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def _code(experiment: Experiment) -> None:
    """A tab for each source."""
    paths = sources(experiment)
    if not paths:
        return
    with st.container(key="code"):
        for path, tab in zip(paths, st.tabs([escape(path.name) for path in paths]), strict=True):
            with tab:
                _source(experiment, path)


def _source(experiment: Experiment, path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    place = path.relative_to(PROJECT).as_posix() if path.is_relative_to(PROJECT) else path.name
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"`{place}`", width="content")
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
    st.caption(escape(idea(source)))
    st.code(source, language="python", line_numbers=True, height=620)
