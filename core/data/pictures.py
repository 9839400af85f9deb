"""Pictures of a person's own, in classes: kept in the data folder for as long as a run uses them.

Each picture is cropped to a square and made 32×32 in red, green and blue before it is kept; the file it came from is
not. A set is one file: a line of JSON with the classes' names and counts, then the bytes of the pictures, class by
class. Its name, which is what a setting holds, begins with the hash of that content.

Everything that a file or an archive says of itself is checked before memory is taken for what it holds. Pillow reads
the size of a picture from its header and decodes later; of a zip the directory is read first.
"""

import hashlib
import io
import json
import re
import secrets
import tempfile
import threading
import time
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from core.data import cache
from core.data.dataset import Parts, split
from core.events import Array
from core.words import N_, Refusal, Sentence

if TYPE_CHECKING:
    from PIL import Image

#: Title of the setting that a set is for, where no other is given.
YOURS = N_("Your pictures")

SIDE = 32
#: Classes that a set has, pictures that a class has, and a set.
CLASSES, PER_CLASS, IN_ALL = (2, 10), (5, 300), 2000
#: Share of each class that is held out for the test.
TEST_SHARE = 0.1
#: Characters of a class's name, and some that it cannot have: a figure would take them for markup.
NAME_LENGTH, MARKUP = 30, frozenset("<>&")

#: Bytes of a file, and pixels of the picture in it.
FILE_BYTES, PIXELS = 12_000_000, 25_000_000
#: Files of one upload.
FILES = 300
#: Bytes of a zip and of all that it holds; how often a file in it may be as large as it is compressed.
ZIP_BYTES, UNZIPPED_BYTES, RATIO = 50_000_000, 400_000_000, 200
#: Entries of a zip, folders and what is skipped included.
ENTRIES = 3 * IN_ALL

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")
#: Seconds for which a set is kept that no run has used yet.
UNUSED_S = 86_400

_BYTES = 3 * SIDE * SIDE
#: Bytes of a set's first line at most.
_HEADER = 4096
_NAME = re.compile("[0-9a-f]{32}")
#: Pictures are decoded by the server: this many at a time, whoever brings them.
_decoding = threading.BoundedSemaphore(2)

#: What archives hold beside what a person put into them.
_SKIPPED = re.compile(r"(^|/)(__MACOSX/|\.(?!\.)|thumbs\.db$|desktop\.ini$)", re.IGNORECASE)

Sets = Mapping[str, Sequence[Array]]


@dataclass(frozen=True, slots=True)
class Summary:
    """What is known of a set without its pictures.

    Attributes:
        classes: their names.
        counts: pictures of each.
    """

    classes: tuple[str, ...]
    counts: tuple[int, ...]


# From files to pictures


def picture(file: str, content: bytes, field: str = "pictures") -> Array:
    """The picture in a file: its middle square as uint8 (3, 32, 32), turned upright as its EXIF says; the first one
    where it is animated, on white where it is transparent.

    Args:
        file: its name, for the sentence.
        field: of the setting that it is for.

    Raises:
        Refusal: it is too large, or not a picture of one of :data:`FORMATS`.
    """
    if len(content) > FILE_BYTES:
        raise _refused(field, file, N_("it has {size} MB, and at most {most} MB can be taken"), _size(len(content)))
    with _decoding:
        return _decoded(file, content, field)


def _decoded(file: str, content: bytes, field: str) -> Array:
    from PIL import Image

    kinds = {"kinds": "JPEG, PNG, GIF, BMP, WebP"}
    damaged = _refused(field, file, N_("it is damaged or incomplete"))
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.DecompressionBombError:
        raise _refused(field, file, N_("it has more than {most} million pixels"), _pixels()) from None
    except Exception:  # whatever a reader raises at bytes that are not its format's
        raise _refused(field, file, N_("it is not a picture in one of these formats: {kinds}"), kinds) from None
    if image.width * image.height > PIXELS:
        raise _refused(field, file, N_("it has more than {most} million pixels"), _pixels())
    try:
        orientation = _orientation(image)
        image.draft(None, (2 * SIDE, 2 * SIDE))  # a JPEG is decoded at an eighth of its size where that is enough
        image.load()
        small = _on_white(_squared(image))
    except Exception:  # as above, of the pixels
        raise damaged from None
    if orientation is not None:
        small = small.transpose(orientation)
    return np.ascontiguousarray(np.asarray(small, np.uint8).transpose(2, 0, 1))


def _orientation(image: "Image.Image") -> "Image.Transpose | None":
    """What turns a picture upright by the EXIF data in its file, ``None`` where nothing does."""
    from PIL import ExifTags, Image

    with suppress(Exception):  # EXIF data that cannot be read say nothing
        turn = Image.Transpose
        mirrored = (turn.FLIP_LEFT_RIGHT, turn.ROTATE_180, turn.FLIP_TOP_BOTTOM)
        lying = (turn.TRANSPOSE, turn.ROTATE_270, turn.TRANSVERSE, turn.ROTATE_90)
        number = int(image.getexif().get(ExifTags.Base.Orientation, 1))
        return dict(enumerate((*mirrored, *lying), start=2)).get(number)
    return None


def _squared(image: "Image.Image") -> "Image.Image":
    """The middle square, 32×32."""
    from PIL import Image

    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    box = (left, top, left + side, top + side)
    if image.mode.startswith("I") or image.mode == "F":  # 16 bits: Pillow would cut off what is above 255
        spacing = max(side // 1024, 1)  # of the pixels that are looked at: a copy of them all would be large
        values = np.asarray(image.crop(box))[::spacing, ::spacing]
        side = len(values)
        image, box = Image.fromarray((values >> 8).clip(0, 255).astype(np.uint8)), (0, 0, side, side)
    elif image.mode not in ("L", "LA", "RGB", "RGBA"):
        image, box = image.crop(box), (0, 0, side, side)
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif "transparency" in image.info:  # one colour of a picture without opacities
        image, box = image.crop(box).convert("RGBA"), (0, 0, side, side)
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box, reducing_gap=3.0)


def _on_white(image: "Image.Image") -> "Image.Image":
    from PIL import Image

    if not image.has_transparency_data:
        return image.convert("RGB")
    paper = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(paper, image.convert("RGBA")).convert("RGB")


# From a zip to files


def unzipped(archive: str, content: bytes, field: str = "pictures") -> tuple[list[zipfile.ZipInfo], list[Sentence]]:
    """The files of a zip that may be read, and a sentence for each that may not. Nothing is decompressed here.

    Raises:
        Refusal: the archive is none, or holds more than can be taken.
    """
    if len(content) > ZIP_BYTES:
        raise _refused(
            field, archive, N_("it has {size} MB, and at most {most} MB can be taken"), _size(len(content), ZIP_BYTES)
        )
    # Each entry of the directory begins so. zipfile makes an object of each, however many there are.
    if content.count(b"PK\x01\x02") > ENTRIES:
        raise _refused(field, archive, N_("it has more than {most} entries"), {"most": f"{ENTRIES:,}"})
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            entries = [i for i in opened.infolist() if not (i.is_dir() or _SKIPPED.search(i.filename))]
    except Exception:  # zipfile raises whatever it stumbles over
        raise _refused(field, archive, N_("it is not a zip archive, or it is damaged")) from None
    if sum(entry.file_size for entry in entries) > UNZIPPED_BYTES:
        most = {"most": UNZIPPED_BYTES // 1_000_000}
        raise _refused(field, archive, N_("it would be more than {most} MB when unpacked"), most)
    if len(entries) > IN_ALL:
        raise _refused(field, archive, N_("it has more than {most} files"), {"most": f"{IN_ALL:,}"})
    if not entries:
        raise _refused(field, archive, N_("it holds no file"))
    taken, refused = [], []
    for entry in entries:
        if reason := _obstacle(entry):
            refused.append(_refused(field, entry.filename, *reason).sentence)
        else:
            taken.append(entry)
    return taken, refused


def _obstacle(entry: zipfile.ZipInfo) -> tuple[str, dict[str, object]] | None:
    """Why a file of a zip is not read, by what the directory says of it."""
    parts = PurePosixPath(entry.filename.replace("\\", "/")).parts
    if ".." in parts or parts[0].startswith("/") or ":" in parts[0]:
        return N_("its path leads out of the archive"), {}
    if len(parts) < 2:
        return N_("it lies in no folder, and the folder's name is the class"), {}
    if entry.flag_bits & 0x1:
        return N_("it is encrypted"), {}
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return N_("it is compressed in a way that cannot be read here"), {}
    if entry.file_size > FILE_BYTES:
        return N_("it has {size} MB, and at most {most} MB can be taken"), dict(_size(entry.file_size))
    if entry.file_size > RATIO * max(entry.compress_size, 1) + 10_000:
        return N_("it is compressed more than {most} times"), {"most": RATIO}
    return None


def class_of(entry: zipfile.ZipInfo) -> str:
    """The class of a file in a zip: the name of the folder it lies in."""
    return PurePosixPath(entry.filename.replace("\\", "/")).parts[-2]


# From pictures to a set


class Draft:
    """Classes as they are built up: names, and the pictures of each.

    Attributes:
        classes: from a name to pictures uint8 (3, 32, 32), in the order they were added.
    """

    def __init__(self, classes: Sets | None = None) -> None:
        self.classes: dict[str, list[Array]] = {name: list(those) for name, those in (classes or {}).items()}

    @property
    def total(self) -> int:
        """Pictures in all classes."""
        return sum(map(len, self.classes.values()))

    def add_files(self, name: str, files: Sequence[tuple[str, bytes]], field: str = "pictures") -> list[Sentence]:
        """Add the pictures in files to a class, which is made where there is none; a sentence for each that is refused.

        Args:
            files: (name, content) of each.

        Raises:
            Refusal: the class cannot be called that, there is no room for it, or these are too many files.
        """
        if len(files) > FILES:
            raise Refusal(
                field, N_("At most {most} files can be taken at a time; these are {n}."), most=FILES, n=len(files)
            )
        name = self._class(name, field)
        refused = [self._add(name, file, content, field) for file, content in files]
        return self._tidied([sentence for sentence in refused if sentence is not None])

    def add_zip(self, archive: str, content: bytes, field: str = "pictures") -> list[Sentence]:
        """Add the pictures in a zip, a folder for each class; a sentence for each file that is refused.

        Raises:
            Refusal: as :func:`unzipped`.
        """
        entries, refused = unzipped(archive, content, field)
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            for entry in entries:
                try:
                    name = self._class(class_of(entry), field)
                    raw = opened.read(entry)  # no more than its directory says
                except Refusal as refusal:
                    reason = N_("{file}: {reason}")
                    refused.append(Sentence(reason, {"file": _short(entry.filename), "reason": refusal.sentence}))
                except Exception:  # whatever zipfile raises at bytes that are not what its directory says
                    refused.append(_refused(field, entry.filename, N_("it is damaged or incomplete")).sentence)
                else:
                    sentence = self._add(name, entry.filename, raw, field)
                    refused += [] if sentence is None else [sentence]
        return self._tidied(refused)

    def remove(self, name: str, number: int | None = None) -> None:
        """Take out a class, or the picture of this number in it; without effect where there is none."""
        those = self.classes.get(name, [])
        if number is None:
            self.classes.pop(name, None)
        elif 0 <= number < len(those):
            del those[number]
            self._tidied([])

    def _tidied(self, refused: list[Sentence]) -> list[Sentence]:
        """A class without pictures is none."""
        self.classes = {name: those for name, those in self.classes.items() if those}
        return refused

    def _class(self, name: str, field: str) -> str:
        """The class of a name, made where there is none."""
        name = class_name(name, field)
        for known in self.classes:
            if known.casefold() == name.casefold():
                return known
        if len(self.classes) >= CLASSES[1]:
            raise Refusal(
                field, N_("There is no room for the class {name}: at most {most} classes."), name=name, most=CLASSES[1]
            )
        self.classes[name] = []
        return name

    def _add(self, name: str, file: str, content: bytes, field: str) -> Sentence | None:
        """Add a picture; the sentence where it is refused."""
        those = self.classes[name]
        try:
            if len(those) >= PER_CLASS[1]:
                raise _refused(field, file, N_("a class has at most {most} pictures"), {"most": PER_CLASS[1]})
            if self.total >= IN_ALL:
                raise _refused(field, file, N_("there are at most {most} pictures in all"), {"most": f"{IN_ALL:,}"})
            new = picture(file, content, field)
            for known, others in self.classes.items():
                if any(np.array_equal(new, other) for other in others):
                    raise _refused(field, file, N_("the same picture is in the class {name} already"), {"name": known})
        except Refusal as refusal:
            return refusal.sentence
        those.append(new)
        return None


def class_name(name: str, field: str = "pictures") -> str:
    """A class's name without spaces at its ends.

    Raises:
        Refusal: it is empty, too long, or has characters that cannot be shown.
    """
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    if not name:
        raise Refusal(field, N_("Write the name of the class first."))
    if len(name) > NAME_LENGTH or not name.isprintable() or MARKUP & set(name):
        raise Refusal(
            field,
            N_("A class cannot be called {name}: at most {most} characters, and none of {markup}."),
            name=_short(name),
            most=NAME_LENGTH,
            markup=" ".join(sorted(MARKUP)),
        )
    return name


# Sets on this machine


def check(classes: Sets, field: str = "pictures", title: str = YOURS) -> None:
    """Refuse what is not yet, or cannot be, a set.

    Raises:
        Refusal: too few or too many classes or pictures, or a name that is not allowed or not unique.
    """
    names = [class_name(name, field) for name in classes]
    if not CLASSES[0] <= len(names) <= CLASSES[1] or len({name.casefold() for name in names}) < len(names):
        raise Refusal(
            field,
            N_("{title}: {low} to {high} classes are needed, each with a name of its own; there are {n}."),
            title=Sentence(title),
            low=CLASSES[0],
            high=CLASSES[1],
            n=len(names),
        )
    for name, those in classes.items():
        if not PER_CLASS[0] <= len(those) <= PER_CLASS[1]:
            raise Refusal(
                field,
                N_("{title}: the class {name} has {n} pictures; {low} to {high} are needed."),
                title=Sentence(title),
                name=name,
                n=len(those),
                low=PER_CLASS[0],
                high=PER_CLASS[1],
            )
    everything = [one.tobytes() for those in classes.values() for one in those]
    if len(everything) > IN_ALL or len(set(everything)) < len(everything):
        raise Refusal(
            field,
            N_("{title}: at most {most} pictures can be taken, each of them once; there are {n}."),
            title=Sentence(title),
            most=f"{IN_ALL:,}",
            n=f"{len(everything):,}",
        )


def keep(classes: Sets, field: str = "pictures", title: str = YOURS) -> str:
    """Keep a set; its name. It is deleted after a day unless a run has used it.

    Args:
        classes: from a name to pictures uint8 (3, 32, 32).

    Raises:
        Refusal: as :func:`check`; or it cannot be kept here.
    """
    check(classes, field, title)
    discard_unclaimed()
    header = {"classes": list(classes), "counts": [len(those) for those in classes.values()]}
    raw = json.dumps(header, ensure_ascii=False).encode() + b"\n"
    raw += b"".join(np.ascontiguousarray(one, np.uint8).tobytes() for those in classes.values() for one in those)
    # Each upload is a set of its own, so that whoever deletes theirs takes away nobody else's.
    name = _hash_of(raw) + secrets.token_hex(4)
    path = _unused(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
            file.write(raw)
        Path(file.name).replace(path)
    except OSError:
        raise Refusal(
            field,
            N_("{title}: they could not be kept, as the data folder cannot be written."),
            title=Sentence(title),
        ) from None
    return name


def is_name(text: str) -> bool:
    """Whether this may be the name of a set."""
    return bool(_NAME.fullmatch(text))


def known(name: str) -> bool:
    """Whether a set of this name is kept on this machine."""
    return any(path.exists() for path in _paths(name))


def summary(name: str, field: str = "pictures", title: str = YOURS) -> Summary:
    """The classes of a kept set; its pictures are not read.

    Raises:
        Refusal: there is none of this name here.
    """
    for path in _paths(name):
        with suppress(OSError, ValueError, KeyError, TypeError), path.open("rb") as file:
            return _header(file.readline(_HEADER + 1))
    raise _missing(field, title)


def read(name: str, field: str = "pictures", title: str = YOURS) -> dict[str, list[Array]]:
    """A kept set: from the names of its classes to their pictures, uint8 (3, 32, 32).

    Raises:
        Refusal: there is none of this name here, or it is damaged.
    """
    for path in _paths(name):
        with suppress(OSError, ValueError, KeyError, TypeError):
            raw = path.read_bytes()
            header, _, rest = raw.partition(b"\n")
            found = _header(header)
            x = np.frombuffer(rest, np.uint8).reshape(sum(found.counts), 3, SIDE, SIDE)
            if name.startswith(_hash_of(raw)):
                parts = np.split(x, np.cumsum(found.counts)[:-1])
                return {c: list(part) for c, part in zip(found.classes, parts, strict=True)}
    raise _missing(field, title)


def load(name: str, seed: int, field: str = "pictures") -> Parts:
    """(x_train, y_train, x_test, y_test) of a kept set: uint8 (n, 3, 32, 32) and class numbers int64 (n,). A tenth of
    each class, and at least one picture, is held out for the test.

    Raises:
        Refusal: there is none of this name here, or it is damaged.
    """
    classes = read(name, field)
    x = np.stack([one for those in classes.values() for one in those])
    y = np.repeat(np.arange(len(classes)), [len(those) for those in classes.values()])
    train, test = split(y, TEST_SHARE, np.random.default_rng([seed, 4]), stratified=True)
    return x[train], y[train], x[test], y[test]


def claim(name: str, field: str = "pictures", title: str = YOURS) -> None:
    """A run is about to be created that uses a set: from now on it is kept until no run does.

    Raises:
        Refusal: there is none of this name here.
    """
    if is_name(name):
        with suppress(OSError):
            _unused(name).replace(_used(name))
    if not known(name):
        raise _missing(field, title)


def release(name: str) -> None:
    """Delete a set that no run has used: another one has taken its place."""
    if is_name(name):
        with suppress(OSError):
            _unused(name).unlink(missing_ok=True)


def discard(name: str) -> None:
    """Delete a set: no run uses it any more."""
    if is_name(name):
        with suppress(OSError):
            _used(name).unlink(missing_ok=True)


def discard_unclaimed() -> None:
    """Delete the sets that were kept more than a day ago and that no run has used."""
    oldest = time.time() - UNUSED_S
    for path in _folder().glob("*.new"):
        with suppress(OSError):
            if path.stat().st_mtime < oldest:
                path.unlink()


def _header(line: bytes) -> Summary:
    """The first line of a set's file.

    Raises:
        ValueError, KeyError, TypeError: it is not one.
    """
    if len(line) > _HEADER:
        raise ValueError("a header is shorter")
    header = json.loads(line)
    return Summary(tuple(map(str, header["classes"])), tuple(map(int, header["counts"])))


def _missing(field: str, title: str) -> Refusal:
    return Refusal(field, N_("{title}: they are not kept on this machine. Add them again."), title=Sentence(title))


def _refused(field: str, file: str, reason: str, values: Mapping[str, object] | None = None) -> Refusal:
    return Refusal(field, N_("{file}: {reason}."), file=_short(file), reason=Sentence(reason, values or {}))


def _short(text: str) -> str:
    """A file's or a class's name as one short line."""
    text = "".join(c if c.isprintable() else " " for c in text[-200:])
    return text if len(text) <= 60 else "…" + text[-59:]


def _size(size: int, most: int = FILE_BYTES) -> Mapping[str, object]:
    return {"size": f"{size / 1e6:.1f}", "most": most // 1_000_000}


def _pixels() -> Mapping[str, object]:
    return {"most": PIXELS // 1_000_000}


def _hash_of(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:24]


def _folder() -> Path:
    return cache.folder() / "pictures"


def _unused(name: str) -> Path:
    return _folder() / f"{name}.new"


def _used(name: str) -> Path:
    return _folder() / f"{name}.used"


def _paths(name: str) -> tuple[Path, ...]:
    """Where a set may lie, in this order: one that is claimed in between is found at its new place."""
    return (_unused(name), _used(name)) if is_name(name) else ()
