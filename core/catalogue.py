"""The words of other languages, from gettext catalogues read as they are: no compiled file to forget.

English is the language of the code; ``assets/locale/<lang>/LC_MESSAGES/tenfold.po`` holds each other one.
``python -m core.catalogue`` collects the marked strings of the whole project into them, keeps what is translated, and
says what is missing.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from core.runs.store.paths import ASSETS, PROJECT
from core.words import Sentence

LOCALES = ASSETS / "locale"

#: Languages by code, each by its own name. English first: it needs no catalogue.
LANGUAGES = {"en": "English", "zh": "中文"}

_KEYWORDS: dict[str, Any] = {"_": None, "N_": None}
_HEADER = """# Tenfold: {name}. `make words` collects the English; the rest is written by hand.
msgid ""
msgstr ""
"Project-Id-Version: Tenfold\\n"
"Language: {lang}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
_SOURCES = (("core/**.py", "python"), ("pages/**.py", "python"), ("assets/stage/words.js", "javascript"))


def path(lang: str) -> Path:
    """Where the catalogue of a language lies."""
    return LOCALES / lang / "LC_MESSAGES" / "tenfold.po"


@cache
def catalogue(lang: str) -> dict[str, str]:
    """All words of a language, by their English; empty for English and for a language that nobody wrote."""
    if not path(lang).exists():
        return {}
    return {str(message.id): str(message.string) for message in _read(lang) if message.id and message.string}


def translate(lang: str, text: str | Sentence, escape: Callable[[str], str] = str) -> str:
    """``text`` in a language; what is not in the catalogue stays as it is.

    The values of a :class:`~core.words.Sentence` that are sentences or marked strings themselves are translated too.

    Args:
        escape: applied to every value that is no sentence and no number, at any depth; never to a template.
    """
    words = catalogue(lang)
    if isinstance(text, str):
        return words.get(text, text)
    values = {name: _value(lang, value, escape) for name, value in text.values.items()}
    return words.get(text.template, text.template).format(**values)


def _value(lang: str, value: object, escape: Callable[[str], str]) -> object:
    if isinstance(value, Sentence):
        return translate(lang, value, escape)
    if isinstance(value, Mapping) and set(value) == {"template", "values"}:  # a sentence that went through JSON
        return translate(lang, Sentence(value["template"], value["values"]), escape)
    if isinstance(value, int | float):
        return value
    return escape(translate(lang, value) if isinstance(value, str) else str(value))


def _read(lang: str) -> Any:
    from babel.messages.pofile import read_po

    with path(lang).open("rb") as file:
        return read_po(file, locale=lang)


def marked() -> Iterator[tuple[str, str, int]]:
    """(text, file, line) of every marked string in the project."""
    from babel.messages.extract import extract_from_file

    for pattern, method in _SOURCES:
        for file in sorted(PROJECT.glob(pattern.replace("**.py", "**/*.py"))):
            for line, message, _, _ in extract_from_file(method, file, keywords=_KEYWORDS):
                if isinstance(message, str) and message:
                    yield message, file.relative_to(PROJECT).as_posix(), line


def collect(lang: str) -> list[str]:
    """Bring the catalogue of a language up to date with the code; what is not translated is returned."""
    from babel.messages.catalog import Catalog

    known = {message.id: message.string for message in _read(lang)} if path(lang).exists() else {}
    fresh = Catalog(locale=lang)
    for text, file, _ in marked():
        fresh.add(text, known.get(text, ""), locations=[(file, 0)])
    write(lang, fresh)
    return [str(message.id) for message in fresh if message.id and not message.string]


def write(lang: str, words: Any) -> None:
    """Replace the catalogue of a language, without dates and line numbers, which would change with every commit."""
    from babel.messages.pofile import write_po

    path(lang).parent.mkdir(parents=True, exist_ok=True)
    with path(lang).open("wb") as out:
        out.write(_HEADER.format(lang=lang, name=LANGUAGES[lang]).encode())
        write_po(out, words, width=110, omit_header=True, sort_by_file=True, include_lineno=False)
    catalogue.cache_clear()


def main() -> int:
    missing = {lang: collect(lang) for lang in LANGUAGES if lang != "en"}
    for lang, texts in missing.items():
        for text in texts:
            sys.stdout.write(f"{lang}: not translated: {text!r}\n")
    return 1 if any(missing.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
