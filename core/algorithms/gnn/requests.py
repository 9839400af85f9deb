"""What a person may request of the probes. No torch in here: the server checks it."""

from typing import Literal

from pydantic import Field

from core.experiment import Request
from core.words import N_


class GraphRequest(Request):
    """A node that is clicked, or a key."""

    node: int = Field(-1, ge=-1, le=19_716, title=N_("Node"))
    act: Literal["none", "next", "back", "select", "remove_features", "reset"] = Field("none", title=N_("What to do"))
