"""Sentences that a person reads, kept as a template and its values so that a page can say them in its own language.

``N_`` marks a string for the catalogues and returns it unchanged; who shows it looks it up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for a marked, not yet translated string
    """Mark ``text`` for translation and return it as it is."""
    return text


@dataclass(frozen=True, slots=True)
class Sentence:
    """A template with ``{names}`` and their values; ``str()`` says it in English.

    A value that is a :class:`Sentence` or a marked string of its own is translated along with the template.
    """

    template: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.template.format(**self.values)


def sentence_json(sentence: Sentence) -> dict[str, Any]:
    """A sentence as JSON: the browser looks the template up in its own language."""
    values = {name: sentence_json(v) if isinstance(v, Sentence) else v for name, v in sentence.values.items()}
    return {"template": sentence.template, "values": values}


class Refusal(ValueError):
    """Something a person requested cannot be had: one sentence that names the field and what is allowed.

    Attributes:
        field: name of the setting at fault, ``""`` where there is none.
        sentence: what the person reads.
    """

    def __init__(self, field: str, template: str, **values: object) -> None:
        self.field = field
        self.sentence = Sentence(template, values)
        super().__init__(str(self.sentence))
