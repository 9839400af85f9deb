"""What a person may request of the probes. No torch in here: the server checks it."""

from typing import Literal

from pydantic import Field

from core.experiment import Request
from core.words import N_

#: Half the width of the plane that a loss surface is drawn over, as a share of each filter's length.
REACH = (0.25, 0.5, 1.0, 2.0)


class CutRequest(Request):
    """A block that is clicked, or a key."""

    block: int = Field(-1, ge=-1, le=53, title=N_("Block"))
    act: Literal["none", "next", "back", "cut", "swap", "each", "restore"] = Field("none", title=N_("What to do"))


class SurfaceRequest(Request):
    """Other directions, or a plane of another width."""

    act: Literal["none", "again", "wider", "narrower"] = Field("none", title=N_("What to do"))
