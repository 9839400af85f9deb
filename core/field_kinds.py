"""Kinds of setting that a person does not type: a drawing, an uploaded text.

Whatever its kind, such a setting is a ``str`` that fits into an address, a link and a log. A kind defines which strings
are allowed and how what a person brings becomes one. A further kind is one object here and one widget in
``pages/parts/field_widgets``; ``Setting(..., kind=...)`` is all that a config needs.
"""

from typing import Any, Protocol, runtime_checkable

from pydantic.fields import FieldInfo

from core import drawing
from core.data import pictures, uploads
from core.words import N_, Refusal, Sentence


@runtime_checkable
class FieldKind(Protocol):
    """What the settings of one kind have in common.

    Attributes:
        name: of the kind, unique.
    """

    name: str

    def validate(self, value: str) -> str:
        """``value``, where a setting of this kind may have it; cheap, as it is called on every validation.

        Raises:
            Refusal: it may not.
        """
        ...

    def allowed(self) -> Sentence:
        """What a setting of this kind takes, to follow ``must be``."""
        ...

    def store(self, content: Any, field: str, title: str) -> str:
        """The value that stands for ``content``, which is kept wherever this kind keeps it.

        Args:
            field, title: of the setting, for a refusal.

        Raises:
            Refusal: the content cannot be taken.
        """
        ...

    def load(self, value: str, field: str, title: str) -> Any:
        """The content that a value stands for.

        Raises:
            Refusal: it is not to be had on this machine.
        """
        ...

    def summary(self, value: str) -> Sentence:
        """A valid value in a few words, for a list of changed settings. The content is not read for it."""
        ...


@runtime_checkable
class Kept(FieldKind, Protocol):
    """A kind whose contents are kept for no longer than there are runs that use them."""

    def claim(self, value: str) -> None:
        """A run with this value is about to be created.

        Raises:
            Refusal: the content is not on this machine.
        """
        ...

    def discard(self, value: str) -> None:
        """The last run with this value was deleted: delete the content."""
        ...

    def discard_unclaimed(self) -> None:
        """Delete what was stored more than a day ago and has had no run."""
        ...


class _Drawing:
    """Points in the plane. The value is the drawing itself, written by :mod:`core.drawing`."""

    name = "drawing"

    def validate(self, value: str) -> str:
        drawing.points(value)
        return value

    def allowed(self) -> Sentence:
        return Sentence(N_("a drawing of at most {most} points, as its canvas writes it"), {"most": drawing.MOST})

    def store(self, content: Any, field: str, title: str) -> str:
        """``content``: points (n, 2) in [-1, 1], y upwards."""
        return drawing.text(content)

    def load(self, value: str, field: str, title: str) -> Any:
        """Points (n, 2) float32."""
        return drawing.points(value)

    def summary(self, value: str) -> Sentence:
        return Sentence(N_("{n} points"), {"n": len(drawing.points(value))})


class _UploadedText:
    """A whole text. :mod:`core.data.uploads` keeps it, the value is the hash of its content; ``""`` is no text yet."""

    name = "uploaded_text"

    def validate(self, value: str) -> str:
        if value and not uploads.is_name(value):
            raise Refusal("", N_("This is not the name of an uploaded text."))
        return value

    def allowed(self) -> Sentence:
        return Sentence(N_("the name of an uploaded text, as its control writes it"))

    def store(self, content: Any, field: str, title: str) -> str:
        """``content``: UTF-8 bytes."""
        return uploads.keep(content, field, title)

    def load(self, value: str, field: str, title: str) -> Any:
        return uploads.read(value, field, title)

    def summary(self, value: str) -> Sentence:
        size = uploads.size(value)
        if size is None:
            return Sentence(N_("none") if not value else N_("not on this machine"))
        return Sentence(N_("{size} KB"), {"size": f"{size / 1000:,.1f}"})


class _Pictures:
    """Pictures in classes. :mod:`core.data.pictures` keeps them, the value is their name; ``""`` is no set yet."""

    name = "pictures"

    def validate(self, value: str) -> str:
        if value and not pictures.is_name(value):
            raise Refusal("", N_("This is not the name of a set of pictures."))
        return value

    def allowed(self) -> Sentence:
        return Sentence(N_("the name of a set of pictures, as its control writes it"))

    def store(self, content: Any, field: str, title: str) -> str:
        """``content``: from the name of a class to pictures uint8 (3, 32, 32)."""
        return pictures.keep(content, field, title)

    def load(self, value: str, field: str, title: str) -> Any:
        return pictures.read(value, field, title)

    def summary(self, value: str) -> Sentence:
        try:
            counts = pictures.summary(value).counts
        except Refusal:
            return Sentence(N_("none") if not value else N_("not on this machine"))
        return Sentence(N_("{n} pictures in {k} classes"), {"n": sum(counts), "k": len(counts)})

    def claim(self, value: str) -> None:
        pictures.claim(value)

    def discard(self, value: str) -> None:
        pictures.discard(value)

    def discard_unclaimed(self) -> None:
        pictures.discard_unclaimed()


DRAWING: FieldKind = _Drawing()
UPLOADED_TEXT: FieldKind = _UploadedText()
PICTURES: Kept = _Pictures()

#: Kinds whose contents are deleted with the last run that uses them.
KEPT: tuple[Kept, ...] = (PICTURES,)


def kind_of(field: FieldInfo) -> FieldKind | None:
    """The kind that a setting was declared with, ``None`` where its type says all."""
    return next((item for item in field.metadata if isinstance(item, FieldKind)), None)
