"""The diagnoses of Word2Vec: each begins where it should, is logged once, and ends."""

import re
from dataclasses import replace

import pytest

from core.algorithms.word2vec.diagnoses import DIAGNOSES, Evidence
from core.algorithms.word2vec.spec import experiment
from core.metrics import newly_diagnosed

FINE = Evidence(
    step=50,
    end=100,
    chinese=False,
    mean_letters=4.7,
    longest="queen",
    mean_count=12.0,
    similarity=0.2,
    first_loss=4.0,
    loss=2.0,
)
CHINESE = replace(FINE, chinese=True, mean_letters=2.3, longest="老太太")


def named(evidence: Evidence, active: set[str] | None = None) -> list[str]:
    found = newly_diagnosed(DIAGNOSES, evidence, set() if active is None else active)
    for name, values in found.items():
        assert set(re.findall(r"{(\w+)}", experiment.diagnoses[name])) == set(values)
    return list(found)


@pytest.mark.parametrize(
    ("evidence", "names"),
    [
        (FINE, []),
        (CHINESE, []),
        (replace(CHINESE, mean_letters=5.1), ["glued words"]),
        (replace(CHINESE, longest="宝" * 13), []),  # a single long run of letters is no sign of it
        (replace(FINE, mean_letters=11.0, longest="incomprehensible"), []),  # English has long words
        (replace(FINE, mean_count=11.9), ["little text"]),
        (replace(FINE, similarity=0.81), ["crowded"]),
        (replace(FINE, similarity=0.81, step=32), []),  # a third of the run is needed
        (replace(FINE, loss=3.93), ["stalled"]),
        (replace(FINE, loss=3.91), []),
        (replace(FINE, loss=3.93, step=49), []),  # half of the run is needed
    ],
)
def test_each_is_found_where_it_holds_and_logged_once(evidence, names):
    active: set[str] = set()
    assert named(evidence, active) == names == list(active)
    assert named(evidence, active) == []


def test_words_are_crowded_until_they_are_well_apart():
    active: set[str] = set()
    found = [named(replace(FINE, similarity=s), active) for s in (0.75, 0.81, 0.75, 0.85, 0.69, 0.75, 0.81)]
    assert found == [[], ["crowded"], [], [], [], [], ["crowded"]]
