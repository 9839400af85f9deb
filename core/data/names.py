"""How what a person brought is called in a setting: by the beginning of its content's hash."""

import hashlib
import re

_NAME = re.compile("[0-9a-f]{32}")


def kept_name(text: str) -> bool:
    """Whether this may be the name of something kept."""
    return bool(_NAME.fullmatch(text))


def name_of(content: bytes) -> str:
    """What this content is called."""
    return hashlib.sha256(content).hexdigest()[:32]
