"""What a person may request of the probes. No torch in here: the server checks it."""

from typing import Literal

from pydantic import Field

from core.drawn_picture import DrawnPicture
from core.experiment import Request
from core.words import N_

#: The canvas a picture is drawn on has so many cells a side.
CANVAS = 56


class DrawRequest(Request):
    """What is drawn on the canvas."""

    drawing: DrawnPicture = Field("", title=N_("Drawing"))


class MoveRequest(Request):
    """A key, or the place of the pointer in pixels of the picture, -1 where there is none."""

    x: float = Field(-1, ge=-1, le=1000, title=N_("Column"))
    y: float = Field(-1, ge=-1, le=1000, title=N_("Row"))
    act: Literal["none", "left", "right", "up", "down", "turn", "back", "blur", "cover", "next", "restore"] = Field(
        "none", title=N_("What to do")
    )


class InsideRequest(Request):
    """A unit that is clicked, by its number in its map, or a key."""

    unit: int = Field(-1, ge=-1, le=1_000_000, title=N_("Unit"))
    act: Literal["none", "left", "right", "up", "down", "channel", "layer", "next"] = Field(
        "none", title=N_("What to do")
    )


class FoolRequest(Request):
    """Another picture."""

    act: Literal["none", "next", "before"] = Field("none", title=N_("What to do"))
