"""Whatever a person enters is settings or one sentence, and what is written is read again."""

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as tries
from hypothesis import strategies as st

from core import registry, settings
from core.experiment import Config, Experiment, Setting, Stop
from core.words import Refusal
from tests.toy import spec
from tests.toy.spec import experiment as toy_experiment


class ToyConfig(spec.ToyConfig):
    """With a setting that may be none, which has no control in a page."""

    limit: float | None = Setting(None, "Limit", "Gradient norm at most.", group="Training", gt=0, le=100)


SCHEMAS = [ToyConfig, Stop, *(experiment.config for experiment in registry.experiments().values())]

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**5000), 10**5000)
    | st.floats()
    | st.text(max_size=30)
    | st.binary(max_size=5)
    | st.complex_numbers(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.tuples(inner) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=6,
)


def field_names(schema: type[Any]) -> st.SearchStrategy[str]:
    return st.sampled_from(list(schema.model_fields)) | st.text(max_size=8)


@st.composite
def plausible(draw: st.DrawFn, schema: type[Any], name: str) -> Any:
    """A value for a field: one that is allowed more often than not."""
    field = schema.model_fields.get(name)
    if field is None:
        return draw(anything)
    numbers = st.integers(-3, 300) | st.floats(-1, 20) | st.sampled_from([0.01, 1e-4, 8.0])
    words = [item for item in str(field.annotation).replace('"', "'").split("'") if item.isidentifier()]
    return draw(
        anything
        | numbers
        | st.booleans()
        | st.lists(st.integers(0, 70), max_size=5)
        | st.sampled_from([field.default, *words])
    )


@st.composite
def typed(draw: st.DrawFn) -> tuple[type[Any], dict[str, Any]]:
    schema = draw(st.sampled_from(SCHEMAS))
    names = draw(st.lists(field_names(schema), max_size=4, unique=True))
    return schema, {name: draw(plausible(schema, name)) for name in names}


@st.composite
def textual(draw: st.DrawFn) -> tuple[type[Any], dict[str, str]]:
    schema, values = draw(typed())
    raw = draw(st.booleans())
    texts = {}
    for name, value in values.items():
        try:
            texts[name] = draw(st.text(max_size=12)) if raw else settings.value_to_text(value)
        except ValueError:
            texts[name] = "9" * 5000
    return schema, texts


@given(typed())
@tries(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
def test_typed_values_are_settings_or_a_sentence(drawn: tuple[type[Any], dict[str, Any]]) -> None:
    schema, values = drawn
    try:
        config = settings.check(schema, values)
    except Refusal as refusal:
        assert str(refusal) and refusal.sentence.template
        assert "\n" not in str(refusal) and len(str(refusal)) < 600
        str(refusal).encode()
        return
    assert isinstance(config, schema)
    assert settings.check(schema, config.model_dump(mode="json")) == config, "as run.json keeps it"
    assert settings.from_text(schema, settings.to_text(config)) == config, "as an address keeps it"


@given(textual())
@tries(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
def test_texts_are_settings_or_a_sentence(drawn: tuple[type[Any], dict[str, str]]) -> None:
    schema, texts = drawn
    try:
        assert isinstance(settings.from_text(schema, texts), schema)
    except Refusal as refusal:
        assert str(refusal) and "\n" not in str(refusal)


@pytest.mark.parametrize(
    ("values", "field", "sentence"),
    [
        ({"lr": -1}, "lr", "Learning rate must be a number between 1e-6 and 1e+30; it was -1."),
        ({"lr": "fast"}, "lr", "Learning rate must be a number between 1e-6 and 1e+30; it was fast."),
        ({"lr": True}, "lr", "Learning rate must be a number between 1e-6 and 1e+30; it was true."),
        ({"lr": math.nan}, "lr", "Learning rate must be a number between 1e-6 and 1e+30; it was nan."),
        ({"dropout": 1}, "dropout", "Dropout must be a number from 0 up to, but not, 1; it was 1."),
        ({"batch": 0}, "batch", "Batch size must be a whole number between 1 and 64; it was 0."),
        ({"batch": 2.5}, "batch", "Batch size must be a whole number between 1 and 64; it was 2.5."),
        ({"batch": 10**5000}, "batch", "Batch size must be a whole number between 1 and 64; it was …."),
        ({"optimiser": "lion"}, "optimiser", "Optimiser must be one of sgd, adam; it was lion."),
        ({"centred": 1}, "centred", "Centred must be true or false; it was 1."),
        (
            {"layers": (8,) * 5},
            "layers",
            "Layers must be a list of 0 to 4 entries, each a whole number between 1 and 64; it was 8,8,8,8,8.",
        ),
        (
            {"layers": (8, 0)},
            "layers",
            "Layers must be a list of 0 to 4 entries, each a whole number between 1 and 64; it was 8,0.",
        ),
        (
            {"sketch": "spiral"},
            "sketch",
            "Sketch must be a drawing of at most 600 points, as its canvas writes it; it was spiral.",
        ),
        ({"sketch": "fn5" * 800}, "sketch", "Sketch must be a drawing of at most 600 points"),
        ({"limit": 0}, "limit", "Limit must be a number above 0, at most 100, or none; it was 0."),
        ({"learning_rate": 1}, "learning_rate", "There is no setting learning_rate; "),
        ({"dropuot": 1}, "dropuot", "There is no setting dropuot; did you mean dropout?"),
        ({"batch": 64, "optimiser": "sgd"}, "batch", "Batch size must be at most 32 with SGD; it was 64."),
    ],
)
def test_sentences(values: dict[str, Any], field: str, sentence: str) -> None:
    with pytest.raises(Refusal) as caught:
        settings.check(ToyConfig, values)
    assert str(caught.value).startswith(sentence) and caught.value.field == field


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ({"lr": " 1e-3 "}, {"lr": 0.001}),
        ({"lr": "1"}, {"lr": 1.0}),
        ({"layers": "8,8"}, {"layers": (8, 8)}),
        ({"layers": "[8, 4]"}, {"layers": (8, 4)}),
        ({"layers": "(8,)"}, {"layers": (8,)}),
        ({"layers": ""}, {"layers": ()}),
        ({"centred": "on"}, {"centred": True}),
        ({"centred": "FALSE"}, {"centred": False}),
        ({"limit": "none"}, {"limit": None}),
        ({"sketch": "f3_-AA"}, {"sketch": "f3_-AA"}),
        ({"limit": "2.5"}, {"limit": 2.5}),
    ],
)
def test_kind_texts(texts: dict[str, str], expected: dict[str, Any]) -> None:
    assert settings.from_text(ToyConfig, texts) == ToyConfig(**expected)


@pytest.mark.parametrize(
    "texts",
    [
        {"lr": "1_0"},
        {"lr": "٣"},
        {"lr": "inf"},
        {"lr": "0x1"},
        {"lr": ""},
        {"batch": "8.0"},
        {"centred": "yes"},
        {"centred": "2"},
        {"layers": "8;8"},
        {"layers": "8,,8"},
        {"limit": "much"},
        {"optimiser": ""},
    ],
)
def test_unkind_texts(texts: dict[str, str]) -> None:
    (name,) = texts
    with pytest.raises(Refusal) as caught:
        settings.from_text(ToyConfig, texts)
    assert caught.value.field == name


def test_only_what_differs_is_written() -> None:
    config = ToyConfig(lr=0.5, layers=(4,), seed=3)
    assert settings.to_text(config) == {"seed": "3", "lr": "0.5", "layers": "4"}
    assert settings.to_text(config, ToyConfig(seed=3)) == {"lr": "0.5", "layers": "4"}
    assert settings.from_text(ToyConfig, {"lr": "0.5", "layers": "4"}, ToyConfig(seed=3)) == config


@pytest.mark.parametrize(
    ("text", "metric", "value"),
    [("test/accuracy>=0.97", "test/accuracy", 0.97), (" test/loss <= 1e-2 ", "test/loss", 0.01), ("a=-1", "a", -1.0)],
)
def test_parse_stop(text: str, metric: str, value: float) -> None:
    assert settings.parse_stop(text) == {"metric": metric, "value": value}


@pytest.mark.parametrize("text", ["", "test/loss", "test/loss>0.1", ">=1", "test/loss>=x", "a=1=2", "test/loss=nan"])
def test_a_stop_condition_that_makes_no_sense(text: str) -> None:
    with pytest.raises(Refusal, match="A stop condition reads like"):
        settings.parse_stop(text)


def test_a_stop_names_a_metric_that_has_a_better_side() -> None:
    assert settings.check_stop(toy_experiment, {"metric": "test/loss", "value": 0.1}).metric == "test/loss"
    for name in ("weight/layer", "test/accuracy"):
        with pytest.raises(Refusal, match="Metric must be one of train/loss, test/loss"):
            settings.check_stop(toy_experiment, {"metric": name})


def test_only_live_settings_change() -> None:
    assert settings.with_setting(ToyConfig(), "lr", 1) == ToyConfig(lr=1.0)
    with pytest.raises(Refusal, match="Batch size cannot change while a run trains"):
        settings.with_setting(ToyConfig(), "batch", 8)


@pytest.mark.parametrize("experiment", registry.experiments().values(), ids=list(registry.experiments()))
def test_every_preset_is_allowed(experiment: Experiment) -> None:
    for preset in experiment.presets:
        config = settings.check(experiment.config, preset.settings)
        assert settings.from_text(experiment.config, settings.to_text(config)) == config
        settings.check_stop(experiment, preset.stop)


def test_every_setting_names_what_is_allowed() -> None:
    for schema in SCHEMAS:
        for name, field in schema.model_fields.items():
            assert "of another kind" not in str(settings.allowed(field)), (schema, name)
            assert issubclass(schema, Config | Stop)
