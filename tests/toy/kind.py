"""A kind of setting as a further one would be added: one object. tests/pages/test_field_widgets.py has its widget."""

from typing import Any

from core.field_kinds import FieldKind
from core.words import Refusal, Sentence


class _Stamp:
    """A number with a # before it."""

    name = "stamp"

    def validate(self, value: str) -> str:
        if value and not (value.startswith("#") and value[1:].isdecimal()):
            raise Refusal("", "This is no stamp.")
        return value

    def allowed(self) -> Sentence:
        return Sentence("a stamp such as {example}", {"example": "#7"})

    def store(self, content: Any, field: str, title: str) -> str:
        return f"#{content}"

    def load(self, value: str, field: str, title: str) -> Any:
        return int(value[1:])

    def summary(self, value: str) -> Sentence:
        return Sentence("stamp {value}", {"value": value})


STAMP: FieldKind = _Stamp()
