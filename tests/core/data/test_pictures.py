"""A person's own pictures: from any file to 32×32 pixels or one sentence, and a set kept as long as it is used."""

import io
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data import pictures
from core.data.pictures import Draft, picture
from core.words import Refusal
from tests.core.data.malformed import archives, encoded, files, noise, zipped


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path))
    return tmp_path / "pictures"


def quarters(width: int = 40, height: int = 40) -> Image.Image:
    """Red, green above blue, white."""
    x = np.zeros((height, width, 3), np.uint8)
    x[: height // 2, : width // 2] = 255, 0, 0
    x[: height // 2, width // 2 :] = 0, 255, 0
    x[height // 2 :, : width // 2] = 0, 0, 255
    x[height // 2 :, width // 2 :] = 255, 255, 255
    return Image.fromarray(x)


def corners(x: np.ndarray) -> str:
    """The colours in the middle of the quarters, clockwise from the upper left: R, G, B, W, or K."""
    names = {(1, 0, 0): "R", (0, 1, 0): "G", (0, 0, 1): "B", (1, 1, 1): "W", (0, 0, 0): "K"}
    places = ((8, 8), (8, 24), (24, 24), (24, 8))
    return "".join(names[tuple((x[:, row, column] > 127).astype(int))] for row, column in places)


def classes(**counts: int) -> dict[str, list[np.ndarray]]:
    rng = np.random.default_rng(0)
    return {name: list(rng.integers(0, 256, (n, 3, 32, 32), np.uint8)) for name, n in counts.items()}


# From files to pictures


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
@pytest.mark.parametrize("size", [(40, 40), (1600, 1600), (33, 33), (32, 32), (9, 9)])
def test_a_picture_of_any_format_and_size_becomes_32_by_32(kind: str, size: tuple[int, int]) -> None:
    x = picture("quarters", encoded(quarters(*size), kind))
    assert x.shape == (3, 32, 32) and x.dtype == np.uint8
    assert corners(x) == "RGWB"


def test_a_picture_is_reduced_by_averaging() -> None:
    """A mean over blocks is the plainest way; of a smooth picture any good way gives nearly the same."""
    ramp = np.linspace(0, 255, 320)
    x = np.stack(np.broadcast_arrays(ramp[:, None], ramp[None, :], 128.0), axis=-1)
    found = picture("ramp", encoded(Image.fromarray(x.astype(np.uint8)))).transpose(1, 2, 0)
    np.testing.assert_allclose(found, x.reshape(32, 10, 32, 10, 3).mean(axis=(1, 3)), atol=3)


def test_the_middle_square_is_taken() -> None:
    for wide in (Image.new("RGB", (100, 40), "black"), Image.new("RGB", (40, 100), "black")):
        wide.paste(quarters(), ((wide.width - 40) // 2, (wide.height - 40) // 2))
        assert corners(picture("wide", encoded(wide))) == "RGWB"


@pytest.mark.parametrize(
    ("orientation", "stored"),
    # What a camera stores so that, turned as the number says, the upper row is red, green and the lower blue, white.
    [(1, "RGWB"), (2, "GRBW"), (3, "WBRG"), (4, "BWGR"), (5, "RBWG"), (6, "GWBR"), (7, "WGRB"), (8, "BRGW")],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_upright_as_its_exif_says(kind: str, orientation: int, stored: str) -> None:
    x = np.zeros((64, 64, 3), np.uint8)
    colours = {"R": (255, 0, 0), "G": (0, 255, 0), "B": (0, 0, 255), "W": (255, 255, 255)}
    for name, (row, column) in zip(stored, ((0, 0), (0, 32), (32, 32), (32, 0)), strict=True):
        x[row : row + 32, column : column + 32] = colours[name]
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert corners(picture("turned", encoded(Image.fromarray(x), kind, exif=exif, quality=95))) == "RGWB"


def test_every_mode_of_a_picture_is_read() -> None:
    whole = quarters()
    transparent = whole.convert("RGBA")
    transparent.putalpha(Image.fromarray(np.repeat([255, 0], 20)[None].repeat(40, 0).astype(np.uint8)))
    keyed = whole.convert("RGB")
    sixteen = Image.fromarray((np.asarray(whole.convert("L")).astype(np.uint16) << 8) + 7)
    exact = whole.quantize(4)
    cases = {
        "CMYK": (encoded(whole.convert("CMYK"), "JPEG"), "RGWB"),
        "palette": (encoded(exact), "RGWB"),
        "transparent on white": (encoded(transparent), "RWWB"),
        "transparent palette": (encoded(exact, transparency=exact.getpixel((30, 10))), "RWWB"),
        "one transparent colour": (encoded(keyed, transparency=(0, 255, 0)), "RWWB"),
        "black and white": (encoded(whole.convert("L").point(lambda v: 255 * (v > 100)).convert("1")), "KWWK"),
        "grey with opacity": (encoded(transparent.convert("LA")), "KWWK"),
        "16 bits": (encoded(sixteen), "KWWK"),
    }
    for name, (content, expected) in cases.items():
        assert corners(picture(name, content)) == expected, name
    found = picture("16 bits", cases["16 bits"][0])
    np.testing.assert_allclose(found[:, 8, 8], np.asarray(whole.convert("L"))[10, 10], atol=2)


def test_the_first_picture_of_an_animation_is_taken() -> None:
    others = [Image.new("RGB", (40, 40), "black")] * 3
    for kind in ("GIF", "WEBP", "PNG"):
        content = encoded(quarters(), kind, save_all=True, append_images=others, duration=100)
        assert corners(picture("moving", content)) == "RGWB", kind


# Malformed files and zips


def one_sentence(text: str, file: str) -> None:
    assert "\n" not in text and text.endswith(".") and len(text) < 300
    assert text.startswith(f"{file}: "), text


def test_a_malformed_file_is_one_sentence_that_names_it() -> None:
    n = refused = 0
    for name, content, reasons in files():
        n += 1
        try:
            x = picture("photo.jpg", content)
        except Refusal as refusal:
            refused += 1
            assert refusal.field == "pictures", name
            one_sentence(str(refusal), "photo.jpg")
            assert str(refusal).removeprefix("photo.jpg: ") in reasons, (name, str(refusal))
        else:
            assert "" in reasons, name
            assert x.shape == (3, 32, 32), name
    assert n >= 235 and refused > 0.7 * n


def test_a_malformed_zip_is_one_sentence_for_each_file() -> None:
    n = 0
    for name, content, reason in archives():
        n += 1
        draft = Draft(classes(spoon=2))
        try:
            (sentence,) = draft.add_zip("photos.zip", content)
        except Refusal as refusal:
            sentence = refusal.sentence
            one_sentence(str(sentence), "photos.zip")
        assert ": " in str(sentence), name
        assert reason in str(sentence), (name, str(sentence))
        assert "\n" not in str(sentence) and len(str(sentence)) < 300 and str(sentence).isprintable(), name
        assert list(draft.classes) == ["spoon"] and draft.total == 2, name
    assert n >= 65


def test_what_is_malformed_takes_nothing_else_away(folder: Path) -> None:
    right = {f"{name}/{i}.png": encoded(noise(seed=10 * i + len(name))) for name in ("cup", "plate") for i in range(5)}
    wrong = {"cup/broken.png": b"\x89PNG", "../out.png": encoded(noise(seed=99)), "cup/readme.txt": b"Cups."}
    draft = Draft()
    sentences = draft.add_zip("photos.zip", zipped(right | wrong))
    assert len(sentences) == 3 and {name: len(those) for name, those in draft.classes.items()} == {"cup": 5, "plate": 5}
    assert not folder.exists(), "nothing is written before a set is kept"
    assert pictures.summary(pictures.keep(draft.classes)).counts == (5, 5)


# From pictures to a set


def test_a_zip_has_a_folder_for_each_class_at_any_depth() -> None:
    draft = Draft()
    content = zipped({"photos/cups/1.png": encoded(noise()), "photos\\plates\\1.png": encoded(noise(seed=1))})
    assert draft.add_zip("photos.zip", content) == []
    assert list(draft.classes) == ["cups", "plates"]


def test_the_same_picture_is_taken_once() -> None:
    """Else it could be learned and tested."""
    draft, content = Draft(), encoded(noise())
    assert draft.add_files("cup", [("1.png", content)]) == []
    (sentence,) = draft.add_files("Cup ", [("2.png", content)])
    assert str(sentence) == "2.png: the same picture is in the class cup already."
    (sentence,) = draft.add_files("plate", [("3.png", content)])
    assert str(sentence) == "3.png: the same picture is in the class cup already."
    assert list(draft.classes) == ["cup"] and draft.total == 1


def test_a_class_and_a_set_have_bounds() -> None:
    draft = Draft(classes(cup=300))
    (sentence,) = draft.add_files("cup", [("1.png", encoded(noise()))])
    assert str(sentence) == "1.png: a class has at most 300 pictures."
    draft = Draft(classes(**{f"c{i}": 200 for i in range(10)}))
    (sentence,) = draft.add_files("c3", [("1.png", encoded(noise()))])
    assert str(sentence) == "1.png: there are at most 2,000 pictures in all."
    with pytest.raises(Refusal, match="There is no room for the class cup: at most 10 classes"):
        draft.add_files("cup", [("1.png", encoded(noise()))])
    with pytest.raises(Refusal, match="At most 300 files can be taken at a time; these are 301"):
        draft.add_files("c3", [("1.png", b"")] * 301)


def test_pictures_and_classes_are_taken_out() -> None:
    draft = Draft(classes(cup=3, plate=1))
    second = draft.classes["cup"][1]
    draft.remove("cup", 0)
    assert draft.classes["cup"][0] is second and draft.total == 3
    draft.remove("plate", 0)
    assert list(draft.classes) == ["cup"], "a class without pictures is none"
    for number in (-1, 2, 99):
        draft.remove("cup", number)
    draft.remove("spoon")
    assert draft.total == 2
    draft.remove("cup")
    assert draft.total == 0


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ({}, "2 to 10 classes are needed, each with a name of its own; there are 0."),
        ({"cup": 9}, "2 to 10 classes are needed, each with a name of its own; there are 1."),
        ({f"c{i}": 5 for i in range(11)}, "2 to 10 classes are needed, each with a name of its own; there are 11."),
        ({"cup": 5, "CUP": 5}, "2 to 10 classes are needed, each with a name of its own; there are 2."),
        ({"cup": 5, "plate": 4}, "the class plate has 4 pictures; 5 to 300 are needed."),
        ({"cup": 301, "plate": 5}, "the class cup has 301 pictures; 5 to 300 are needed."),
        ({f"c{i}": 201 for i in range(10)}, "at most 2,000 pictures can be taken, each of them once; there are 2,010."),
    ],
)
def test_what_is_not_a_set_is_refused(counts: dict[str, int], sentence: str, folder: Path) -> None:
    with pytest.raises(Refusal) as refused:
        pictures.keep(classes(**counts), "own", "Own")
    assert (refused.value.field, str(refused.value)) == ("own", f"Own: {sentence}")
    assert not folder.exists()


def test_a_kept_set_is_read_as_it_was() -> None:
    made = classes(cup=5, 盘子=7)
    name = pictures.keep(made)
    assert pictures.is_name(name) and pictures.known(name)
    assert pictures.summary(name) == pictures.Summary(("cup", "盘子"), (5, 7))
    np.testing.assert_equal(pictures.read(name), made)


@pytest.mark.parametrize("damage", ["gone", "short", "changed", "no header", "another header", "endless header"])
def test_a_damaged_set_is_refused(damage: str, folder: Path) -> None:
    name = pictures.keep(classes(cup=5, plate=5))
    path = folder / f"{name}.new"
    raw = path.read_bytes()
    match damage:
        case "gone":
            path.unlink()
        case "short":
            path.write_bytes(raw[:-1])
        case "changed":
            path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
        case "no header":
            path.write_bytes(raw[raw.index(b"\n") :])
        case "another header":
            path.write_bytes(b'{"classes": 3, "counts": "x"}' + raw[raw.index(b"\n") :])
        case "endless header":
            path.write_bytes(b"[" * 1_000_000)
    with pytest.raises(Refusal, match=r"^Your pictures: they are not kept on this machine\. Add them again\.$"):
        pictures.load(name, 0)


@pytest.mark.parametrize("name", ["", ".", "../../etc/passwd", "0" * 32, "A" * 32, "x"])
def test_a_name_is_no_path(name: str) -> None:
    assert not pictures.known(name)
    for act in (pictures.summary, pictures.read, pictures.claim):
        with pytest.raises(Refusal, match="not kept on this machine"):
            act(name)
    pictures.release(name)
    pictures.discard(name)


def test_a_set_that_no_run_used_is_deleted_after_a_day(folder: Path) -> None:
    fresh, old, used = (pictures.keep(classes(cup=5, plate=5)) for _ in range(3))
    pictures.claim(used)
    day = time.time() - 25 * 3600
    os.utime(folder / f"{old}.new", (day, day))
    os.utime(folder / f"{used}.used", (day, day))
    pictures.discard_unclaimed()
    assert [pictures.known(name) for name in (fresh, old, used)] == [True, False, True]
    pictures.release(fresh)
    pictures.release(used)
    assert [pictures.known(name) for name in (fresh, used)] == [False, True], "only what no run has used"
    pictures.discard(used)
    assert not list(folder.iterdir())


def test_what_is_kept_is_one_file_of_pixels(folder: Path) -> None:
    """What a photo said of its place and time is not in it."""
    exif = Image.Exif()
    exif[0x010F] = "Camera of Somebody"
    draft = Draft()
    for n, name in enumerate(("cup", "plate")):
        photos = [encoded(noise(seed=10 * n + i), "JPEG", exif=exif) for i in range(5)]
        assert draft.add_files(name, [(f"secret-{i}.jpg", photo) for i, photo in enumerate(photos)]) == []
    name = pictures.keep(draft.classes)
    (file,) = folder.iterdir()
    raw = file.read_bytes()
    header, _, rest = raw.partition(b"\n")
    assert header == b'{"classes": ["cup", "plate"], "counts": [5, 5]}' and len(rest) == 10 * 3072
    assert file.name == f"{name}.new" and b"Camera" not in raw and b"secret" not in raw


def test_a_folder_that_cannot_be_written_is_refused(folder: Path) -> None:
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file where a folder should be")
    with pytest.raises(Refusal, match="they could not be kept, as the data folder cannot be written"):
        pictures.keep(classes(cup=5, plate=5))


def test_a_name_of_a_class_is_tidied() -> None:
    assert pictures.class_name("  my \t cup\n") == "my cup"
    assert pictures.class_name("cafe\u0301") == "café"
    assert pictures.class_name("x" * 30) == "x" * 30
    for name in ("x" * 31, "a<b", "a>b", "a&b", "a\x00b", "a\u202eb"):
        with pytest.raises(Refusal, match="cannot be called"):
            pictures.class_name(name)
    with pytest.raises(Refusal, match="Write the name of the class first"):
        pictures.class_name(" \n")


def test_at_most_two_pictures_are_decoded_at_a_time() -> None:
    content, done = encoded(noise()), threading.Event()
    with pictures._decoding, pictures._decoding:
        thread = threading.Thread(target=lambda: (picture("third", content), done.set()))
        thread.start()
        assert not done.wait(0.2)
    assert done.wait(10)
    thread.join()


def test_a_large_photo_is_read(folder: Path) -> None:
    file = io.BytesIO()
    Image.effect_noise((5700, 4300), 40).convert("RGB").save(file, "JPEG", quality=60)
    assert picture("phone.jpg", file.getvalue()).shape == (3, 32, 32)
