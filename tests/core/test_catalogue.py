"""Every word a person reads is there in every language, and nothing else is."""

import re
import string
from collections.abc import Iterator

import pytest
from babel.messages.pofile import read_po

from core import catalogue
from core.experiment import Experiment, Stop
from core.registry import experiments
from core.words import Sentence

OTHERS = [lang for lang in catalogue.LANGUAGES if lang != "en"]


@pytest.fixture(scope="module")
def marked() -> dict[str, str]:
    """Each marked string with the place it comes from."""
    return {text: f"{file}:{line}" for text, file, line in catalogue.marked()}


def values_in(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def test_the_whole_house_is_searched(marked: dict[str, str]) -> None:
    places = {place.split("/")[0] for place in marked.values()}
    assert places == {"core", "pages", "assets"}
    assert "Learning rate" in marked
    assert "Press Train and watch it learn" in marked


@pytest.mark.parametrize("lang", OTHERS)
def test_every_marked_string_is_translated(lang: str, marked: dict[str, str]) -> None:
    words = catalogue.catalogue(lang)
    missing = {text: place for text, place in marked.items() if not words.get(text, "").strip()}
    assert not missing, "run `make words`, then translate"


@pytest.mark.parametrize("lang", OTHERS)
def test_values_survive_translation(lang: str) -> None:
    for text, said in catalogue.catalogue(lang).items():
        assert values_in(said) == values_in(text), text


@pytest.mark.parametrize("lang", OTHERS)
def test_no_leftovers_and_nothing_unsure(lang: str, marked: dict[str, str]) -> None:
    with catalogue.path(lang).open("rb") as file:
        book = read_po(file, locale=lang)
    assert not book.obsolete
    assert not [message.id for message in book if message.id and message.fuzzy]
    assert not {message.id for message in book if message.id} - set(marked), "run `make words`"


@pytest.mark.parametrize("lang", OTHERS)
def test_the_catalogue_is_as_make_words_leaves_it(lang: str) -> None:
    before = catalogue.path(lang).read_bytes()
    try:
        assert catalogue.collect(lang) == []
        assert catalogue.path(lang).read_bytes() == before, "run `make words`"
    finally:
        catalogue.path(lang).write_bytes(before)
        catalogue.catalogue.cache_clear()


def spoken(experiment: Experiment) -> Iterator[str]:
    """All words that an experiment says to a person."""
    yield from (experiment.title, experiment.family, experiment.tagline, *experiment.diagnoses.values())
    yield from experiment.parts
    for model in (experiment.config, Stop):
        for field in model.model_fields.values():
            extra = field.json_schema_extra
            assert isinstance(extra, dict)
            yield from (field.title or "", field.description or "", str(extra["group"]))
            yield from dict(extra.get("labels", {})).values()  # type: ignore[call-overload]
    for panel in experiment.panels:
        yield from (panel.title, panel.sentence)
    for probe in experiment.probes:
        yield from (probe.title, probe.sentence, *probe.labels.values())
        yield from (field.title or "" for field in probe.request.model_fields.values())
    for metric in experiment.metrics:
        yield from (metric.title, metric.sentence)
    for preset in experiment.presets:
        yield from (preset.title, preset.claim)


@pytest.mark.parametrize("lang", OTHERS)
def test_all_that_experiments_say_is_in_the_catalogue(lang: str) -> None:
    words = catalogue.catalogue(lang)
    for experiment in experiments().values():
        assert not [text for text in spoken(experiment) if text not in words], experiment.slug


def test_chinese_is_chinese() -> None:
    """What has a lower-case English word of its own is translated, not copied."""
    copied = [
        text
        for text, said in catalogue.catalogue("zh").items()
        if text == said and re.search(r"\b[a-z]{4,}\b", re.sub(r"{\w+}", "", text))
    ]
    assert not copied


def test_a_sentence_is_said_with_the_sentences_inside_it() -> None:
    inner = Sentence("{kind} between {low} and {high}", {"kind": Sentence("a number"), "low": 0, "high": 1})
    refusal = Sentence("{title} must be {allowed}; it was {value}.", {"title": "Noise", "allowed": inner, "value": "2"})
    assert catalogue.translate("en", refusal) == "Noise must be a number between 0 and 1; it was 2."
    said = catalogue.translate("zh", refusal)
    assert "噪声" in said and "0 到 1 之间的数" in said and said.endswith("2。")


def test_a_sentence_that_went_through_json_is_said_too() -> None:
    inner = {"template": "{kind} above {low}", "values": {"kind": "a number", "low": 0}}
    said = catalogue.translate("zh", Sentence("a list, each entry {each}", {"each": inner}))
    assert said == "一个列表，每项为大于 0 的数"


def test_what_no_catalogue_holds_stays_english() -> None:
    assert catalogue.translate("zh", "no such words") == "no such words"
    assert catalogue.translate("xx", Sentence("step {step}", {"step": 3})) == "step 3"
