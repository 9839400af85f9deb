"""A template is Markdown, a value in it is not. tests/browser/test_escaping.py has Streamlit render the result."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.catalogue import catalogue, translate
from core.words import Sentence
from pages.parts.markdown import escape

JOINER = "\u2060"


def rendered(markdown: str) -> str:
    """What CommonMark makes of text in which every mark is escaped."""
    return re.sub(rf"\\([{re.escape(string.punctuation)}])", r"\1", markdown).replace(JOINER, "")


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ("spiral", "spiral"),
        ("宝玉，黛玉", "宝玉，黛玉"),
        ("![x](http://a.b/c)", rf"\!\[x\]\(http\:{JOINER}\/\/a\.b\/c\)"),
        ("[log in](x)", r"\[log in\]\(x\)"),
        ("www.a.b", rf"www{JOINER}\.a\.b"),
        ("me@a.b", rf"me\@{JOINER}a\.b"),
        ("*a* _b_ ~~c~~", r"\*a\* \_b\_ \~\~c\~\~"),
        ("`a`", r"\`a\`"),
        (":red[a]", rf"\:{JOINER}red\[a\]"),
        (":smile:", rf"\:{JOINER}smile\:{JOINER}"),
        (":material/home:", rf"\:{JOINER}material\/home\:{JOINER}"),
        ("$x$", r"\$x\$"),
        ("a -> b", rf"a \-{JOINER}\> b"),
        ("a->b", r"a\-\>b"),
        ("\\*", r"\\\*"),
        ("<b>&amp;", r"\<b\>\&amp\;"),
        ("a\n\n# b\t\0c", r"a \# b c"),
        ("\u202ea", "a"),
    ],
)
def test_escaped_values(value: str, escaped: str) -> None:
    assert escape(value) == escaped


@given(st.text() | st.text(string.punctuation + "w \n", max_size=20))
def test_an_escaped_value_is_one_line_of_the_same_characters(value: str) -> None:
    escaped = escape(value)
    assert escaped.isprintable() or JOINER in escaped
    printable = "".join(c if c.isprintable() else " " for c in value)
    assert rendered(escaped) == " ".join(printable.split())
    assert not re.search(rf"(?<!\\)(\\\\)*[{re.escape(string.punctuation.replace(chr(92), ''))}]", escaped)


def test_a_template_stays_markdown_and_its_values_do_not() -> None:
    inner = Sentence("**{x}**", {"x": "*y*"})
    sentence = Sentence("`{name}` {inner} {json} {n}", {"name": "[a]", "inner": inner, "json": JSON, "n": -0.5})
    assert translate("en", sentence, escape) == r"`\[a\]` **\*y\*** _\_z\__ -0.5"
    assert translate("en", sentence) == "`[a]` **_y_** __z__ -0.5".replace("_y_", "*y*")


JSON = {"template": "_{x}_", "values": {"x": "_z_"}}


def test_a_marked_value_is_translated_before_it_is_escaped() -> None:
    english = next(text for text, chinese in catalogue("zh").items() if "，" in chinese and "{" not in text)
    assert translate("zh", Sentence("{x}", {"x": english}), escape) == escape(catalogue("zh")[english])


def test_a_value_of_another_type_is_escaped_too() -> None:
    assert translate("en", Sentence("{x}", {"x": ["*a*"]}), escape) == r"\[\'\*a\*\'\]"
