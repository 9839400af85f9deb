"""What a page teaches is said alike in both languages and names what is on the page, for every algorithm."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

import core.algorithms
from core import registry
from core.catalogue import translate

TRAINING, TRY_THIS = 2, 3
SLUGS = list(registry.experiments())


def texts(slug: str) -> dict[str, str]:
    folder = Path(core.algorithms.__file__).parent / slug
    return {lang: (folder / f"learn.{lang}.md").read_text("utf-8") for lang in ("en", "zh")}


def section(text: str, number: int) -> str:
    return re.split(r"^## .+$", text, flags=re.MULTILINE)[number + 1]


def bold(text: str) -> set[str]:
    return {" ".join(words.split()) for words in re.findall(r"\*\*(.+?)\*\*", text, re.DOTALL)}


def displays(text: str) -> list[str]:
    return re.findall(r"^\$\$\n(.+?)\n\$\$$", text, re.MULTILINE | re.DOTALL)


def inline(text: str) -> list[str]:
    return re.findall(r"\$([^$]+)\$", re.sub(r"^\$\$\n.+?\n\$\$$", "", text, flags=re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("slug", SLUGS)
def test_both_languages_have_the_same_sections_entries_and_formulas(slug: str) -> None:
    told = texts(slug)
    for level in (2, 3):
        counts = {len(re.findall(rf"^{'#' * level} ", text, re.MULTILINE)) for text in told.values()}
        assert len(counts) == 1
    for number in range(9):
        counts = {len(re.findall(r"^(?:- |\d+\. )", section(text, number), re.MULTILINE)) for text in told.values()}
        assert len(counts) == 1, number
    # A formula is the same in both, but for the words in it.
    formulas = [[re.sub(r"\\text\{.*?\}", "", one) for one in displays(text)] for text in told.values()]
    assert formulas[0] == formulas[1] and len(formulas[0]) >= 3
    within = [{re.sub(r"\\text\{.*?\}", "", one) for one in inline(text)} for text in told.values()]
    assert within[0] == within[1]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("slug", SLUGS)
def test_formulas_are_well_formed(slug: str, lang: str) -> None:
    text = texts(slug)[lang]
    assert text.count("$$") == 2 * len(displays(text)), "a $$ stands on a line of its own"
    assert text.count("$") == 4 * len(displays(text)) + 2 * len(inline(text))
    for formula in displays(text) + inline(text):
        depth = 0
        for bracket in re.findall(r"(?<!\\)[{}]", formula):
            depth += 1 if bracket == "{" else -1
            assert depth >= 0, formula
        assert depth == 0, formula
        assert len(re.findall(r"\\left(?![a-z])", formula)) == len(re.findall(r"\\right(?![a-z])", formula)), formula
        assert formula.count(r"\begin{") == formula.count(r"\end{"), formula


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("slug", SLUGS)
def test_it_names_every_panel_and_every_preset_by_its_title(slug: str, lang: str) -> None:
    experiment, text = registry.get(slug), texts(slug)[lang]
    assert bold(section(text, TRY_THIS)) == {translate(lang, preset.title) for preset in experiment.presets}
    assert bold(section(text, TRAINING)) == {translate(lang, panel.title) for panel in experiment.panels}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("slug", SLUGS)
def test_papers_are_linked(slug: str, lang: str) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", texts(slug)[lang])
    assert len(links) >= 4 and all(link.startswith(("https://", "http://incompleteideas.net/")) for link in links)
    assert registry.get(slug).paper.url in links


@pytest.mark.parametrize("slug", SLUGS)
def test_no_chinese_sentence_is_broken_by_a_line_end(slug: str) -> None:
    lines = re.sub(r"^\$\$\n.+?\n\$\$$", "", texts(slug)["zh"], flags=re.MULTILINE | re.DOTALL).splitlines()
    for before, after in pairwise(lines):
        assert not before or not after or re.match(r"- |\d+\. |#", after), (before, after)
