"""A picture drawn on the canvas of a probe, as a field of its request.

The canvas is a square of cells with a byte of ink each: 0 is paper, 255 is ink, row 0 is on top. The stage writes them
in URL-safe base64 without padding (``assets/stage/ink.js``), so that 56 × 56 cells take 4182 characters. Unlike the
drawing that a setting holds (:mod:`core.drawing`) it is a raster, it is sent while it is being drawn, and no link
carries it.
"""

import base64
import re
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from core.words import N_, Refusal


@dataclass(frozen=True, slots=True)
class Drawn:
    """Marks the field of a :class:`~core.experiment.Request` that takes what is drawn on a canvas:
    ``Annotated[str, Drawn(28)]`` beside ``Probe(canvas_size=28)``.

    Such a field is ``""``, nothing was drawn, or holds exactly ``size`` × ``size`` cells.
    """

    size: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        field = handler.field_name or ""

        def checked(text: str) -> str:
            _bytes(text, self.size, field)
            return text

        return core_schema.no_info_after_validator_function(checked, handler(source))


DrawnPicture = Annotated[str, Drawn(56)]
"""The picture on a canvas of the size that probes have by default: ``drawing: DrawnPicture = Field("", title=...)``."""


def ink(text: str, size: int) -> npt.NDArray[np.uint8]:
    """The cells of a drawn picture.

    Returns:
        (size, size) uint8, 0 for paper and 255 for ink, row 0 on top; all paper where ``text`` is empty.

    Raises:
        Refusal: it is no picture of this size.
    """
    raw = _bytes(text, size) or bytes(size * size)
    return np.frombuffer(raw, np.uint8).reshape(size, size).copy()  # (size, size)


def _bytes(text: str, size: int, field: str = "") -> bytes:
    """The bytes, none where nothing was drawn. The length is checked before anything is decoded."""
    characters = -(-4 * size * size // 3)
    if text and (len(text) != characters or not re.fullmatch("[A-Za-z0-9_-]*", text)):
        raise Refusal(field, N_("The drawing must have {size} × {size} cells, as its canvas sends them."), size=size)
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
