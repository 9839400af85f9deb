"""Text for Streamlit's Markdown, which nearly all of Streamlit parses: alerts, captions, labels, tooltips.

A backslash takes away the meaning that CommonMark, formulas and ``:directives[]`` give to a punctuation mark. Bare
addresses, ``:emoji:``, ``:material/icons:`` and arrows are looked for later, in text that has lost its backslashes: an
invisible word joiner separates the characters that these need side by side.
"""

import re
import string

_PUNCTUATION = str.maketrans({mark: f"\\{mark}" for mark in string.punctuation})

#: After each of these, something that Streamlit replaces in plain text may follow.
_REPLACED = re.compile(r":|@|www(?=\.)|(?<!\S)[<>~-](?=[->=]+(?!\S))", re.IGNORECASE)

_JOINER = "\u2060"


def escape(value: str) -> str:
    """``value`` as Markdown that renders as the same characters on one line.

    Line breaks and other characters that do not print become spaces, runs of spaces one.
    """
    line = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    return _REPLACED.sub(rf"\g<0>{_JOINER}", line).translate(_PUNCTUATION)
