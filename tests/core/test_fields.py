"""Shared settings: each is declared once and the same wherever an algorithm takes it."""

from typing import Any, Literal, get_args

import pytest
from pydantic import create_model

from core import fields
from core.data import images
from core.data.tabular import TABLES
from core.experiment import Config
from core.registry import experiments
from core.settings import check, with_setting
from core.words import Refusal

Part = Literal["relu", "tanh"]
Rule = Literal["adam", "sgd"]
Data = Literal["own", fields.Images]
GROUP = fields.Group("Group", shown_if={"switch": (True,)})

#: Each shared setting: its type, the field, a value at either bound and one beyond.
SHARED: dict[str, tuple[Any, Any, tuple[Any, ...], tuple[Any, ...]]] = {
    "test_share": (float, fields.test_share(0.3), (0.05, 0.8), (0.04, 0.81)),
    "hidden_layers": (fields.Widths, fields.hidden_layers((8,), max_length=2), ((), (1, 1024)), ((0,), (1, 1, 1))),
    "activation": (Part, fields.activation("relu", Part), ("relu", "tanh"), ("gelu",)),
    "optimizer": (Rule, fields.optimizer("adam", Rule), ("adam", "sgd"), ("nesterov",)),
    "learning_rate": (float, fields.learning_rate(0.1, le=10), (1e-6, 10.0), (0.0, 11.0)),
    "momentum": (float, fields.momentum(0.9), (0.1, 0.999), (0.0, 1.0)),
    "batch_size": (int, fields.batch_size(32, ge=2, le=64), (2, 64), (1, 65)),
    "schedule": (fields.Schedule, fields.schedule(), ("constant", "cosine"), ("linear",)),
    "schedule_steps": (int, fields.schedule_steps(1000), (1, 1_000_000), (0, 1_000_001)),
    "clip_gradient": (float, fields.clip_gradient(0.0), (0.0, 100.0), (-1.0, 101.0)),
    "dropout": (float, fields.dropout(0.5, le=0.95), (0.0, 0.95), (-0.1, 0.96)),
    "weight_decay": (float, fields.weight_decay(5e-4), (0.0, 1.0), (-1e-9, 1.1)),
    "data_set": (Data, fields.data_set("own", Data, "A set.", labels={"own": "Own"}), ("own", "mnist"), ("iris",)),
}
#: Those that may change while a run trains.
LIVE = {"learning_rate", "momentum", "batch_size", "clip_gradient", "dropout", "weight_decay"}


def config_of(kind: Any, field: Any) -> type[Config]:
    return create_model("Configured", __base__=Config, value=(kind, field))


@pytest.mark.parametrize("name", SHARED)
def test_a_shared_setting_takes_what_its_bounds_allow(name):
    kind, field, within, beyond = SHARED[name]
    model = config_of(kind, field)
    for value in within:
        assert check(model, {"value": value}).value == value
    for value in beyond:
        with pytest.raises(Refusal) as refused:
            check(model, {"value": value})
        assert refused.value.field == "value" and str(refused.value).startswith(f"{field.title} must be ")


@pytest.mark.parametrize("name", SHARED)
def test_a_shared_setting_has_words_and_a_group(name):
    kind, field, _, _ = SHARED[name]
    assert field.title and field.description.endswith(".")
    extra = config_of(kind, field).model_fields["value"].json_schema_extra
    assert extra["group"] in ("Data", "Model", "Training", "Regularisation")
    assert set(extra.get("labels", ())) == (set(get_args(kind)) if "labels" in extra else set())


@pytest.mark.parametrize("name", SHARED)
def test_only_what_a_training_reads_anew_at_each_step_is_live(name):
    kind, field, within, _ = SHARED[name]
    model = config_of(kind, field)
    if name in LIVE:
        assert with_setting(model(), "value", within[1]).value == within[1]
    else:
        with pytest.raises(Refusal, match="cannot change while a run trains"):
            with_setting(model(), "value", within[1])


def extra_of(field: Any) -> dict[str, Any]:
    return field.json_schema_extra


def test_a_setting_is_shown_where_its_group_is_unless_it_says_otherwise():
    assert extra_of(GROUP.setting(1).described("One", "A one."))["shown_if"] == {"switch": [True]}
    own = GROUP.setting(1, shown_if={"other": ("a",)}).described("One", "A one.")
    assert extra_of(own)["shown_if"] == {"other": ["a"]}
    assert "shown_if" not in extra_of(fields.MODEL.setting(1).described("One", "A one."))


def test_an_algorithm_may_say_more_of_a_shared_setting():
    field = fields.learning_rate(0.1, live=False, group=GROUP, title="Rate of D", description="Length of D's steps.")
    assert (field.title, field.description, extra_of(field)["group"]) == ("Rate of D", "Length of D's steps.", "Group")
    assert extra_of(field)["live"] is False
    assert extra_of(fields.batch_size(8, shown_if={"engine": ("own",)}))["shown_if"] == {"engine": ["own"]}


def test_the_data_sets_offered_are_those_that_can_be_loaded():
    assert set(get_args(fields.Points)) == {name for name, table in TABLES.items() if not table.rows}
    assert set(get_args(fields.Tables)) == {name for name, table in TABLES.items() if table.rows}
    assert set(get_args(fields.Images)) == {"mnist_5k", *images.PUBLISHED}
    assert set(fields.FETCHED) == {*images.PUBLISHED, "cifar10"}
    for name, words in fields.DATA_SETS.items():
        assert ("to fetch" in words) == (name in fields.FETCHED), name


@pytest.mark.parametrize(
    ("name", "title"),
    [("lr", "Learning rate"), ("batch_size", "Batch size"), ("dropout", "Dropout"), ("clip", "Clip gradient")],
)
def test_a_setting_of_one_name_has_one_title_in_all_algorithms(name, title):
    found = {
        slug: e.config.model_fields[name].title for slug, e in experiments().items() if name in e.config.model_fields
    }
    assert len(found) > 1 and set(found.values()) == {title}
