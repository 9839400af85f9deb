"""Files and zips that are not what they should be, made here: what a person brings by mistake, and what somebody sends
to do harm. :func:`files` and :func:`archives` make about 300 of them.
"""

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")

NOT_ONE = "it is not a picture in one of these formats: JPEG, PNG, GIF, BMP, WebP."
DAMAGED = "it is damaged or incomplete."
BOTH = (NOT_ONE, DAMAGED)
TOO_MANY_PIXELS = "it has more than 25 million pixels."


def noise(width: int = 64, height: int = 48, seed: int = 0, mode: str = "RGB") -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)).convert(mode)


def encoded(image: Image.Image, kind: str = "PNG", **more: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **more)
    return file.getvalue()


def _chunk(kind: bytes, raw: bytes) -> bytes:
    return struct.pack(">I", len(raw)) + kind + raw + struct.pack(">I", zlib.crc32(kind + raw))


def png(width: int, height: int, raw: bytes = b"", bits: int = 8, colour: int = 2) -> bytes:
    """A PNG whose header says so, whatever is in it."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(raw)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def bmp(width: int, height: int) -> bytes:
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, *[0] * 6)


def gif(width: int, height: int, frame: tuple[int, int, int, int] | None = None) -> bytes:
    left, top, w, h = frame or (0, 0, width, height)
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return screen + b"," + struct.pack("<HHHHB", left, top, w, h, 0) + b"\x02\x02\x44\x01\0;"


def jpeg(width: int, height: int) -> bytes:
    """A JPEG whose header says so, and whose pixels are those of a small one."""
    raw = bytearray(encoded(noise(), "JPEG"))
    at = raw.index(b"\xff\xc0")
    raw[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(raw)


def webp(width: int, height: int) -> bytes:
    """An extended WebP whose canvas is so large."""
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    extended = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + size
    return b"RIFF" + struct.pack("<I", 4 + len(extended)) + b"WEBP" + extended


def files() -> Iterator[tuple[str, bytes, tuple[str, ...]]]:
    """(name, content, what the sentence may say). An empty string: it may also be taken."""
    for kind in FORMATS:
        whole = encoded(noise(), kind)
        for percent in range(5, 75, 4):
            yield f"{kind} cut at {percent} %", whole[: len(whole) * percent // 100], BOTH
        yield f"{kind} with another beginning", b"\0\0\0\0\0\0\0\0\0\0\0\0" + whole[12:], (NOT_ONE,)
        yield f"{kind} upside down", whole[::-1], (NOT_ONE,)
        rng = np.random.default_rng(len(kind))
        for n in range(16):
            broken = bytearray(whole)
            for at in rng.integers(0, len(whole), 1 + 4 * n):
                broken[at] = rng.integers(0, 256)
            yield f"{kind} with {1 + 4 * n} bytes changed", bytes(broken), (*BOTH, TOO_MANY_PIXELS, "")
    for kind in (
        "TIFF",
        "ICO",
        "PPM",
        "TGA",
        "ICNS",
        "PCX",
        "SGI",
        "PDF",
        "EPS",
        "JPEG2000",
        "DDS",
        "MSP",
        "XBM",
    ):
        mode = "1" if kind in ("MSP", "XBM") else "RGB"
        yield f"a picture as {kind}", encoded(noise(64, 64, mode=mode), kind), (NOT_ONE,)
    for name, raw in {
        "empty": b"",
        "a byte": b"\xff",
        "two bytes": b"\xff\xd8",
        "a text": b"the cat eats the fish\n" * 100,
        "an SVG": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>',
        "a page": b"<!doctype html><img src=x onerror=alert(1)>",
        "a program": b"\x7fELF" + bytes(500),
        "a pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94\x8c\x06system\x94\x93\x94.",
        "an HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200),
        "a zip": zipped({"cup/1.png": encoded(noise())}),
        "zeros": bytes(10_000),
        "a PNG's beginning": b"\x89PNG\r\n\x1a\n",
        "a GIF's beginning": b"GIF89a",
        "a BMP's beginning": b"BM",
        "a WebP's beginning": b"RIFF\x04\0\0\0WEBP",
        "a PNG without pixels": png(32, 32),
        "a PNG of an unknown colour type": png(32, 32, bytes(3104), colour=5),
        "a PNG of 3 bits": png(32, 32, bytes(3104), bits=3),
        "a PNG of no width": png(0, 32, bytes(3104)),
        "a PNG of no height": png(32, 0, bytes(3104)),
        "a GIF of no size": gif(0, 0),
        "a BMP of no size": bmp(0, 0),
        "a JPEG of no height": jpeg(64, 0),
        "a JPEG of no width": jpeg(0, 48),
    }.items():
        yield name, raw, BOTH
    # What Pillow takes for whole: the missing rows are black.
    yield "a PNG with few pixels", png(32, 32, bytes(97)), (*BOTH, "")
    yield "a PNG with a chunk more", encoded(noise()).replace(b"IDAT", b"IDAT\0", 1), (*BOTH, "")
    yield "a BMP of a negative width", bmp(-32, 32), (*BOTH, TOO_MANY_PIXELS)
    for make in (png, bmp, gif, jpeg, webp):
        for width, height in ((5001, 5000), (65_000, 400), (16_000, 16_000), (13_000, 13_500), (1, 30_000_000)):
            if max(width, height) < (16_384 if make is webp else 65_536 if make in (gif, jpeg) else 1 << 31):
                # Where a reader does not even open it, that will do.
                yield f"{make.__name__} of {width} × {height}", make(width, height), (TOO_MANY_PIXELS, *BOTH)
    yield "a whole PNG of 5,001 × 5,000", encoded(Image.new("1", (5001, 5000))), (TOO_MANY_PIXELS,)
    yield "a PNG of 2 billion × 2 billion", png(2_000_000_000, 2_000_000_000), (TOO_MANY_PIXELS, *BOTH)
    yield "a GIF with a frame far larger than itself", gif(8, 8, (0, 0, 65_000, 65_000)), (TOO_MANY_PIXELS, *BOTH)
    yield "a PNG with a text of 200 MB", _with_text(200_000_000), (NOT_ONE, DAMAGED, "")
    yield "a file of 13 MB", bytes(13_000_000), ("it has 13.0 MB, and at most 12 MB can be taken.",)


def _with_text(size: int) -> bytes:
    packer = zlib.compressobj(9)
    text = b"".join(packer.compress(bytes(1_000_000)) for _ in range(size // 1_000_000)) + packer.flush()
    whole = encoded(noise())
    return whole[:33] + _chunk(b"zTXt", b"Comment\0\0" + text) + whole[33:]


def zipped(entries: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of names that come twice
        for name, raw in entries.items():
            archive.writestr(name, raw)
    return file.getvalue()


def _changed(archive: bytes, offset: int, raw: bytes) -> bytes:
    """A zip with other bytes at this place of each entry of its directory."""
    at, found = 0, bytearray(archive)
    while (at := archive.find(b"PK\x01\x02", at)) >= 0:
        found[at + offset : at + offset + len(raw)] = raw
        at += 4
    return bytes(found)


def archives() -> Iterator[tuple[str, bytes, str]]:
    """(name, content, what each sentence says)."""
    one = encoded(noise())
    whole = zipped({"cup/1.png": one, "plate/1.png": encoded(noise(seed=1))})
    no_zip = "it is not a zip archive, or it is damaged."
    for percent in range(5, 100, 5):
        yield f"cut at {percent} %", whole[: len(whole) * percent // 100], no_zip
    for name, raw in {"empty": b"", "a text": b"PK? no\n" * 99, "a picture": one, "zeros": bytes(9999)}.items():
        yield name, raw, no_zip
    yield "no entry", zipped({}), "it holds no file."
    yield "only folders", zipped({"cup/": b"", "plate/": b""}), "it holds no file."
    yield "only what systems add", zipped({"__MACOSX/cup/._1.png": one, "cup/.DS_Store": one}), "it holds no file."
    outside = (
        "../cup/1.png",
        "../../../../../../tmp/1.png",
        "cup/../../1.png",
        "/etc/cup/1.png",
        "..\\cup\\1.png",
        "C:\\cup\\1.png",
        "C:/cup/1.png",
        "\\\\server\\cup\\1.png",
        "cup/..",
        "a/b/../c/1.png",
    )
    for path in outside:
        yield f"a path such as {path}", zipped({path: one}), "its path leads out of the archive."
    yield "no folder", zipped({"1.png": one}), "it lies in no folder, and the folder's name is the class."
    yield "a zip in it", zipped({"cup/more.zip": whole}), NOT_ONE
    yield "a zip in a zip in it", zipped({"cup/more.zip": zipped({"cup/more.zip": whole})}), NOT_ONE
    yield "a text in it", zipped({"cup/readme.txt": b"Cups."}), NOT_ONE
    yield "an empty file in it", zipped({"cup/1.png": b""}), NOT_ONE
    yield "half a picture in it", zipped({"cup/1.png": one[: len(one) // 2]}), DAMAGED
    yield "a bomb in it", zipped({"cup/1.bmp": bytes(12_000_000)}), "it is compressed more than 200 times."
    yield "a picture of too many pixels", zipped({"cup/1.png": png(9000, 9000)}), TOO_MANY_PIXELS
    yield "an encrypted file", _changed(zipped({"cup/1.png": one}), 8, b"\x01\0"), "it is encrypted."
    for method in (1, 6, 9, 12, 14, 93, 99):
        raw = _changed(zipped({"cup/1.png": one}), 10, struct.pack("<H", method))
        yield f"method {method}", raw, "it is compressed in a way that cannot be read here."
    raw = _changed(zipped({"cup/1.png": one}), 24, struct.pack("<I", 12_000_001))
    yield "a file of 12 MB and more", raw, "it has 12.0 MB, and at most 12 MB can be taken."
    raw = _changed(zipped({f"cup/{i}.png": bytes([i]) * 9 for i in range(40)}), 24, struct.pack("<I", 11_000_000))
    yield "400 MB by what it says", raw, "it would be more than 400 MB when unpacked."
    yield "another checksum", _changed(zipped({"cup/1.png": one}), 16, b"\0\0\0\0"), DAMAGED
    yield "a place far behind", _changed(zipped({"cup/1.png": one}), 42, struct.pack("<I", 1 << 30)), DAMAGED
    yield "a place inside", _changed(zipped({"cup/1.png": one}), 42, struct.pack("<I", 5)), DAMAGED
    yield "less than it has", _changed(zipped({"cup/1.png": one}, 0), 24, struct.pack("<I", 100)), DAMAGED
    yield "2,001 files", zipped({f"cup/{i}.png": b"" for i in range(2001)}), "it has more than 2,000 files."
    yield "6,001 entries", zipped({f"{i}/": b"" for i in range(6001)}), "it has more than 6,000 entries."
    yield "a name of 60,000 characters", zipped({"cup" * 20_000 + "/1.png": one}), "at most 30 characters, and none of"
    yield "a name of many folders", zipped({"a/" * 30_000 + "1.txt": b"?"}), NOT_ONE
    for name in ("<b>cup</b>", "cup\x07", "cup\u202egnp", "cup&amp;", " ", "\u200b"):
        reason = "Write the name of the class first." if name == " " else "at most 30 characters, and none of"
        yield f"a class called {name!a}", zipped({f"{name}/1.png": one}), reason
    yield "51 MB", b"PK\x03\x04" + bytes(51_000_000), "it has 51.0 MB, and at most 50 MB can be taken."
