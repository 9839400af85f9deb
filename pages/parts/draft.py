"""The settings on a page that no run has yet, and their way into the address and back.

The draft is the truth; the widgets show it and write into it. It may hold settings that do not go together: Train
refuses these, and a sentence does where the draft came from an address.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core import settings
from core.experiment import Config, Experiment, Preset, Stop
from core.runs.store.library import RANDOM, parse_start
from core.words import N_, Refusal, Sentence

Settings = TypeVar("Settings", Config, Stop)

#: Name in the address of the run that a new one starts from.
FROM = "from"

#: What the address holds beside settings. ``run`` and ``step`` name what is watched, ``hide`` which controls are not
#: drawn.
RESERVED = ("preset", "device", "run", "step", "lang", "hide")

#: Unknown names in the address for which there is a sentence.
UNKNOWN_SHOWN = 5

#: Before the name of a stop condition in the address: an experiment may have a setting of the same name.
STOP = "stop."


@dataclass
class Draft:
    """Settings that the next run would have.

    Attributes:
        start_from: the run with whose weights it begins, as ``RUN`` or ``RUN@STEP``; ``""`` for random ones.
    """

    experiment: Experiment
    preset: str
    device: str = "cpu"
    values: dict[str, Any] = field(default_factory=dict)
    stop: dict[str, Any] = field(default_factory=dict)
    start_from: str = ""

    @classmethod
    def of(cls, experiment: Experiment, preset: str = "", device: str = "cpu") -> "Draft":
        """The settings of a preset, the first one where no name is given."""
        draft = cls(experiment, preset or experiment.presets[0].name, device)
        draft.values, draft.stop = draft.base().model_dump(), draft.base_stop().model_dump()
        draft.start_from = draft.base_start()
        return draft

    def base_preset(self) -> Preset:
        """The preset it started from."""
        return next((p for p in self.experiment.presets if p.name == self.preset), self.experiment.presets[0])

    def base(self) -> Config:
        """The settings of the preset."""
        return settings.check(self.experiment.config, self.base_preset().settings)

    def base_stop(self) -> Stop:
        """The stop condition of the preset."""
        return settings.check_stop(self.experiment, self.base_preset().stop)

    def base_start(self) -> str:
        """The run that the preset starts from."""
        return self.experiment.start_from(self.base_preset())

    def config(self) -> Config:
        """The settings, checked.

        Raises:
            Refusal: a setting is not allowed, or two do not go together.
        """
        return settings.check(self.experiment.config, self.values)

    def stop_condition(self) -> Stop:
        """The stop condition, checked.

        Raises:
            Refusal: the experiment cannot meet it.
        """
        return settings.check_stop(self.experiment, self.stop)

    def changed(self) -> set[str]:
        """Names of the settings that differ from the preset, as in the address."""
        base, stop = self.base().model_dump(), self.base_stop().model_dump()
        return (
            {n for n, v in self.values.items() if v != base[n]}
            | {STOP + n for n, v in self.stop.items() if v != stop[n]}
            | ({FROM} if self.start_from != self.base_start() else set())
        )

    def follow(self, change: Any) -> None:
        """Take a live setting that was changed in the run itself, ``{"field", "value"}``, so that its control shows
        it. What no run allows is left out."""
        if isinstance(change, Mapping):
            with suppress(Refusal):
                config = settings.with_setting(self.config(), str(change.get("field")), change.get("value"))
                self.values = config.model_dump()

    def differs(self, config: Mapping[str, Any], start_from: str = "") -> bool:
        """Whether a new run would have other settings than those of a run, or another start."""
        return self.start_from != start_from or any(
            _plain(config.get(name)) != _plain(value) for name, value in self.values.items()
        )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple | list) else value


def _unnamed(experiment: Experiment, language: str, settings: Mapping[str, str]) -> str:
    """Name of the preset that an address without one stands for: an address that holds settings is a link that opens
    the same in every language."""
    return (experiment.presets[0] if settings else experiment.opening(language)).name


def from_address(
    experiment: Experiment, params: Mapping[str, str], language: str = "en"
) -> tuple[Draft, list[Sentence]]:
    """The draft that an address describes, and a sentence for each part of it that was refused."""
    refused: list[Sentence] = []
    preset = params.get("preset", "")
    known = [p.name for p in experiment.presets]
    if preset and preset not in known:
        refused.append(
            Sentence(
                N_("There is no preset {name}; there are: {known}."), {"name": preset[:60], "known": ", ".join(known)}
            )
        )
        preset = ""
    texts = {name: text for name, text in params.items() if name not in RESERVED}
    draft = Draft.of(experiment, preset or _unnamed(experiment, language, texts), params.get("device", "cpu"))
    if start_from := texts.pop(FROM, ""):
        try:
            parse_start(start_from)
            draft.start_from = "" if start_from == RANDOM else start_from
        except Refusal as refusal:
            refused.append(refusal.sentence)
    stops = {name.removeprefix(STOP): texts.pop(name) for name in list(texts) if name.startswith(STOP)}
    config, more = _restored(experiment.config, texts, draft.base())
    stop, most = _restored(Stop, stops, draft.base_stop())
    try:
        stop = settings.check_stop(experiment, stop.model_dump())
    except Refusal as refusal:
        most.append(refusal.sentence)
        stop = draft.base_stop()
    draft.values, draft.stop = config.model_dump(), stop.model_dump()
    return draft, refused + more + most


def _restored(schema: type[Settings], texts: dict[str, str], base: Settings) -> tuple[Settings, list[Sentence]]:
    """Settings from texts, and a sentence for each that is refused and left as in ``base``; of unknown ones for a few
    alone, since there may be thousands of them."""
    refused: list[Sentence] = []
    left = {name: text for name, text in texts.items() if name in schema.model_fields}
    for name in [name for name in texts if name not in left][:UNKNOWN_SHOWN]:
        try:
            settings.from_text(schema, {name: ""})
        except Refusal as refusal:
            refused.append(refusal.sentence)
    while True:
        try:
            return settings.from_text(schema, left, base), refused
        except Refusal as refusal:
            refused.append(refusal.sentence)
            # A conflict between settings that names none of them: none of them is taken.
            left = {n: t for n, t in left.items() if n != refusal.field} if refusal.field in left else {}


def to_address(draft: Draft, params: Mapping[str, str], language: str = "en") -> dict[str, str]:
    """The address of a draft: the preset, what differs from it, and what the address holds beside settings.

    Raises:
        Refusal: the settings do not go together, so that nobody could open them.
    """
    changed = settings.to_text(draft.config(), draft.base())
    changed |= {STOP + name: text for name, text in settings.to_text(draft.stop_condition(), draft.base_stop()).items()}
    if draft.start_from != draft.base_start():
        changed[FROM] = draft.start_from or RANDOM
    unnamed = draft.preset == _unnamed(draft.experiment, language, changed)
    address = changed if unnamed else {"preset": draft.preset} | changed
    if draft.device != "cpu":
        address["device"] = draft.device
    return address | {name: params[name] for name in ("hide", "run", "step", "lang") if name in params}
