"""What a new run begins with: random weights, or those of a run of one's own or of a recorded one."""

from core.experiment import Experiment
from core.runs.server.engine import engine
from core.runs.store.library import Start
from core.words import N_, Sentence
from pages.parts.language import to_plain
from pages.parts.local_time import local_time
from pages.parts.session import owner
from pages.parts.widgets import format_number

#: Runs of one's own that are offered.
_MOST = 40


def starts(experiment: Experiment) -> tuple[Start, ...]:
    """What this person's new run may start from: the newest of their own runs, and the recorded ones."""
    found = engine().starts(owner(), experiment.slug)
    mine = [start for start in found if not start.recorded]
    return (*(start for start in found if start.recorded), *mine[:_MOST])


def start_title(experiment: Experiment, start: Start) -> str:
    """Which run it is, how far it had come, and when it began."""
    preset = next((p.title for p in experiment.presets if p.name == start.about.preset), experiment.title)
    step = format_number(start.about.step)
    if start.recorded:
        return to_plain(Sentence(N_("{run} (recorded), step {n}"), {"run": preset, "n": step}))
    when = local_time(start.created)
    return to_plain(Sentence(N_("{when}: {run}, step {n}"), {"run": preset, "n": step, "when": when}))
