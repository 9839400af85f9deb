"""Settings survive the round trip through the address; what is refused is named in a sentence and left out."""

import time
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.words import Refusal
from pages.parts.draft import Draft, from_address, to_address
from tests.pages.toy import toy

TOY: Any = toy
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "data": st.sampled_from(["moons", "xor"]),
        "noise": st.floats(0, 1),
        "inputs": st.lists(st.sampled_from(["x", "square", "sine"]), min_size=1, max_size=3).map(tuple),
        "layers": st.lists(st.integers(1, 512), max_size=4).map(tuple),
        "norm": st.booleans(),
        "lr": st.floats(1e-6, 10),
        "batch": st.integers(2, 1000),
        "seed": st.integers(0, 2**31 - 1),
        "name": st.text(st.characters(categories=["L", "N"]), max_size=20),
    },
)


def test_a_draft_follows_a_live_setting_that_was_changed_in_the_run() -> None:
    draft = Draft.of(TOY, "plain")
    before = dict(draft.values)
    draft.follow({"field": "lr", "value": 0.5})
    assert draft.values == before | {"lr": 0.5}
    for change in ({"field": "batch", "value": 3}, {"field": "lr", "value": -1}, {"field": "x", "value": 1}, {}, None):
        draft.follow(change)
        assert draft.values == before | {"lr": 0.5}, change


@given(values=VALUES, preset=st.sampled_from(["plain", "noisy"]), steps=st.integers(1, 10_000_000))
@settings(max_examples=300, deadline=None)
def test_address_restores_the_draft(values: dict[str, Any], preset: str, steps: int) -> None:
    draft = Draft.of(TOY, preset)
    draft.values |= values
    draft.stop |= {"steps": steps}
    back, refused = from_address(TOY, to_address(draft, {}))
    assert not refused
    assert (back.preset, back.values, back.stop) == (draft.preset, draft.values, draft.stop)


@given(
    params=st.dictionaries(
        st.sampled_from([*TOY.config.model_fields, "stop.steps", "stop.metric", "preset", "x"]), st.text(max_size=30)
    )
)
@settings(max_examples=300, deadline=None)
def test_no_address_breaks_the_page(params: dict[str, str]) -> None:
    draft, refused = from_address(TOY, params)
    draft.config()
    draft.stop_condition()
    assert all(str(sentence) for sentence in refused)


def test_only_what_differs_stands_in_the_address() -> None:
    draft = Draft.of(TOY)
    assert to_address(draft, {}) == {}
    draft.values["lr"] = 0.1
    assert to_address(draft, {"hide": "noise", "run": "abc", "nonsense": "1"}) == {
        "lr": "0.1",
        "hide": "noise",
        "run": "abc",
    }
    assert to_address(Draft.of(TOY, "noisy"), {}) == {"preset": "noisy"}


def test_a_language_opens_with_a_preset_of_its_own_and_a_link_with_the_same_everywhere() -> None:
    plain, noisy = TOY.presets
    toy = replace(TOY, presets=(plain, replace(noisy, opens_in="zh")))
    assert from_address(toy, {}, "en")[0].preset == from_address(toy, {}, "fr")[0].preset == "plain"
    assert from_address(toy, {"run": "abc"}, "zh")[0].preset == "noisy"
    assert from_address(toy, {"preset": "plain"}, "zh")[0].preset == "plain"
    assert from_address(toy, {"lr": "0.1"}, "zh")[0].preset == "plain", "an address with settings is somebody's link"
    for written, read in product(("en", "zh"), repeat=2):
        for preset, changed in product(("plain", "noisy"), ({}, {"lr": 0.1})):
            draft = Draft.of(toy, preset)
            draft.values |= changed
            address = to_address(draft, {}, written)
            if address:
                back, refused = from_address(toy, address, read)
                assert (back.preset, back.values, refused) == (preset, draft.values, [])
            else:
                assert (preset, changed) == (toy.opening(written).name, {})


def test_the_run_to_start_from_goes_through_the_address() -> None:
    draft = Draft.of(TOY)
    assert draft.start_from == ""
    draft.start_from = "abc@200"
    assert to_address(draft, {}) == {"from": "abc@200"} and draft.changed() == {"from"}
    back, refused = from_address(TOY, to_address(draft, {}))
    assert (back.start_from, refused) == ("abc@200", [])
    assert draft.differs(draft.config().model_dump()) and not draft.differs(draft.config().model_dump(), "abc@200")
    for text in ("<b>", "abc@", "abc@1e9", "a" * 65, "abc@" + "1" * 10):
        back, (sentence,) = from_address(TOY, {"from": text})
        assert back.start_from == "" and "reads like RUN@2000" in str(sentence)


def test_a_preset_may_start_from_a_recorded_run_and_a_link_from_none() -> None:
    plain, noisy = TOY.presets
    toy = replace(TOY, presets=(plain, replace(noisy, start_from="plain")))
    draft = Draft.of(toy, "noisy")
    assert draft.start_from == "recorded-toy-plain"
    assert to_address(draft, {}) == {"preset": "noisy"} and draft.changed() == set()
    draft.start_from = ""
    assert to_address(draft, {}) == {"preset": "noisy", "from": "random"} and draft.changed() == {"from"}
    assert from_address(toy, to_address(draft, {}))[0].start_from == ""
    assert from_address(toy, {"preset": "noisy"})[0].start_from == "recorded-toy-plain"


def test_a_bad_setting_is_named_and_the_rest_kept() -> None:
    draft, refused = from_address(TOY, {"lr": "1000", "noise": "0.3", "batch": "many"})
    assert draft.values["noise"] == 0.3
    assert (draft.values["lr"], draft.values["batch"]) == (0.01, 32)
    sentences = [str(sentence) for sentence in refused]
    assert len(sentences) == 2
    assert "Rate must be a number above 0, at most 10; it was 1000." in sentences
    assert "Batch size must be a whole number between 1 and 1000; it was many." in sentences


def test_settings_in_conflict_are_refused() -> None:
    draft, refused = from_address(TOY, {"norm": "true", "batch": "1"})
    assert [str(s) for s in refused] == ["Batch size: batch norm needs at least 2."]
    assert draft.values["norm"] is True and draft.values["batch"] == 32


def test_an_unknown_preset_and_an_unknown_setting_are_refused() -> None:
    _, refused = from_address(TOY, {"preset": "best", "lrr": "1"})
    assert "There is no preset best; there are: plain, noisy." in map(str, refused)
    assert any("lrr" in str(s) for s in refused)


def test_of_many_unknown_settings_a_few_are_named_and_the_known_ones_taken() -> None:
    unknown = {f"{'n' * 200}{i}": "1" for i in range(4000)}
    began = time.process_time()
    draft, refused = from_address(TOY, unknown | {"batch": "64"})
    assert time.process_time() - began < 0.5
    assert len(refused) == 5 and all("There is no setting nnn" in str(sentence) for sentence in refused)
    assert draft.values["batch"] == 64


def test_a_stop_condition_must_be_one_the_experiment_knows() -> None:
    draft, refused = from_address(TOY, {"stop.metric": "test/loss"})
    assert draft.stop["metric"] == ""
    assert len(refused) == 1


def test_settings_that_are_refused_make_no_address() -> None:
    draft = Draft.of(TOY)
    draft.values |= {"norm": True, "batch": 1}
    with pytest.raises(Refusal):
        to_address(draft, {})


def test_what_was_changed_is_known_by_name() -> None:
    draft = Draft.of(TOY, "noisy")
    assert draft.changed() == set()
    draft.values["noise"] = 0.1
    draft.stop["steps"] = 7
    assert draft.changed() == {"noise", "stop.steps"}


def test_a_run_as_json_has_the_settings_of_its_draft() -> None:
    draft = Draft.of(TOY)
    assert not draft.differs(draft.config().model_dump(mode="json"))
    assert draft.differs({**draft.config().model_dump(mode="json"), "layers": [8]})
