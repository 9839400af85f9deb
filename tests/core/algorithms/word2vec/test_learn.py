"""What the page teaches is said alike in both languages and names what is on the page."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

import core.algorithms
from core.algorithms.word2vec.spec import experiment
from core.catalogue import translate

FOLDER = Path(core.algorithms.__file__).parent / "word2vec"
TEXTS = {lang: (FOLDER / f"learn.{lang}.md").read_text("utf-8") for lang in ("en", "zh")}
TRAINING, TRY_THIS = 2, 3


def section(lang: str, number: int) -> str:
    return re.split(r"^## .+$", TEXTS[lang], flags=re.MULTILINE)[number + 1]


def bold(text: str) -> set[str]:
    return {" ".join(words.split()) for words in re.findall(r"\*\*(.+?)\*\*", text, re.DOTALL)}


def displays(text: str) -> list[str]:
    return re.findall(r"^\$\$\n(.+?)\n\$\$$", text, re.MULTILINE | re.DOTALL)


def test_both_languages_have_the_same_sections_entries_and_formulas() -> None:
    for level in (2, 3):
        counts = {len(re.findall(rf"^{'#' * level} ", text, re.MULTILINE)) for text in TEXTS.values()}
        assert len(counts) == 1
    for number in range(9):
        counts = {len(re.findall(r"^(?:- |\d+\. )", section(lang, number), re.MULTILINE)) for lang in TEXTS}
        assert len(counts) == 1, number
    assert displays(TEXTS["en"]) == displays(TEXTS["zh"])
    assert len(displays(TEXTS["en"])) == 5


@pytest.mark.parametrize("lang", TEXTS)
def test_it_names_every_panel_and_every_preset_by_its_title(lang: str) -> None:
    assert bold(section(lang, TRY_THIS)) == {translate(lang, preset.title) for preset in experiment.presets}
    assert bold(section(lang, TRAINING)) == {translate(lang, panel.title) for panel in experiment.panels}


@pytest.mark.parametrize("lang", TEXTS)
def test_papers_are_linked(lang: str) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", TEXTS[lang])
    assert len(links) >= 8 and all(link.startswith("https://") for link in links)
    assert experiment.paper.url in links


def test_no_chinese_sentence_is_broken_by_a_line_end() -> None:
    lines = re.sub(r"^\$\$\n.+?\n\$\$$", "", TEXTS["zh"], flags=re.MULTILINE | re.DOTALL).splitlines()
    for before, after in pairwise(lines):
        assert not before or not after or re.match(r"- |\d+\. |#", after), (before, after)
