import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

import cv2
import numpy as np
import pytest

from edge_runtime import pictures
from edge_runtime.errors import PictureError
from edge_runtime.pictures import decode_picture, pictures_under, read_picture

_EXIF_ROTATED_90 = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"


@pytest.fixture
def picture() -> np.ndarray:
    """(40, 60, 3) BGR, blue on the left and red on the right."""
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, :30] = (255, 0, 0)
    image[:, 30:] = (0, 0, 255)
    return image


def _encoded(suffix: str, image: np.ndarray) -> bytes:
    return cv2.imencode(suffix, image)[1].tobytes()


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_lossless_pictures_come_back_as_bgr(suffix: str, picture: np.ndarray, tmp_path: Path) -> None:
    assert (read_picture(_written(tmp_path / f"a{suffix}", _encoded(suffix, picture))) == picture).all()


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_lossy_pictures_come_back_nearly(suffix: str, picture: np.ndarray, tmp_path: Path) -> None:
    read = read_picture(_written(tmp_path / f"a{suffix}", _encoded(suffix, picture)))
    assert np.abs(read[:, 5:25].astype(int) - (255, 0, 0)).mean() < 5


def test_grey_sixteen_bit_and_transparent_pictures_become_eight_bit_colour(tmp_path: Path) -> None:
    images = [np.full((4, 4), 51, np.uint8), np.full((4, 4, 3), 51 * 257, np.uint16), np.full((4, 4, 4), 51, np.uint8)]
    for image in images:
        read = read_picture(_written(tmp_path / "a.png", _encoded(".png", image)))
        assert (read.shape, read.dtype) == ((4, 4, 3), np.uint8)
        assert (read == 51).all()


def test_a_photo_is_turned_upright_by_its_exif_orientation(picture: np.ndarray, tmp_path: Path) -> None:
    jpeg = _encoded(".jpg", picture)
    exif = b"\xff\xe1" + struct.pack(">H", len(_EXIF_ROTATED_90) + 2) + _EXIF_ROTATED_90
    assert read_picture(_written(tmp_path / "a.jpg", jpeg[:2] + exif + jpeg[2:])).shape == (60, 40, 3)


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_pictures_become_the_colours_they_print(suffix: str, tmp_path: Path) -> None:
    pillow = pytest.importorskip("PIL.Image", reason="needs the train extra")
    # Pillow writes CMYK JPEG inverted, as Adobe does.
    pillow.new("CMYK", (60, 40), (0, 204, 255, 51)).save(tmp_path / f"a{suffix}")
    # 255 less ink, times what black leaves, 204 / 255: red 204, green 51 * 0.8 = 41, blue 0.
    assert np.abs(read_picture(tmp_path / f"a{suffix}").astype(int) - (0, 41, 204)).max() <= 3


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_sixteen_bit_colour_keeps_its_upper_half(suffix: str, tmp_path: Path) -> None:
    image = np.full((4, 4, 3), (0x12FF, 0x8000, 0xFE01), np.uint16)
    read = read_picture(_written(tmp_path / f"a{suffix}", _encoded(suffix, image)))
    assert np.abs(read.astype(int) - (0x12, 0x80, 0xFE)).max() <= 1


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize(
    ("orientation", "corner"), [(1, "top left"), (3, "bottom right"), (6, "top right"), (8, "bottom left")]
)
def test_every_format_with_exif_is_turned_upright(suffix: str, orientation: int, corner: str, tmp_path: Path) -> None:
    pillow = pytest.importorskip("PIL.Image", reason="needs the train extra")
    exif = pillow.Exif()
    exif[0x0112] = orientation
    stored = np.zeros((40, 60, 3), np.uint8)
    stored[:20, :30] = 255
    pillow.fromarray(stored).save(tmp_path / f"a{suffix}", exif=exif)
    read = read_picture(tmp_path / f"a{suffix}")
    assert read.shape == ((60, 40, 3) if orientation in (6, 8) else (40, 60, 3))
    half = read.shape[0] // 2, read.shape[1] // 2
    row, column = ("bottom" in corner) * half[0], ("right" in corner) * half[1]
    assert read[row : row + half[0], column : column + half[1]].mean() > 240


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tif"])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.95])
def test_truncated_pictures_are_refused(suffix: str, share: float, tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8)
    content = _encoded(suffix, image)
    with pytest.raises(PictureError, match=r"copy the picture again|save it again"):
        read_picture(_written(tmp_path / f"a{suffix}", content[: int(len(content) * share)]))


def test_bytes_after_the_end_of_a_picture_are_allowed(picture: np.ndarray, tmp_path: Path) -> None:
    for suffix in (".jpg", ".png"):
        content = _encoded(suffix, picture) + b"\xff\xda" + b"\0" * 100
        assert read_picture(_written(tmp_path / f"a{suffix}", content)).shape == (40, 60, 3)


def test_text_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="not a picture"):
        read_picture(_written(tmp_path / "a.jpg", b"hello"))


def test_an_empty_file_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="is empty"):
        read_picture(_written(tmp_path / "a.jpg", b""))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"gone\.jpg cannot be read \(No such file"):
        read_picture(tmp_path / "gone.jpg")


def test_bytes_are_decoded_as_a_file_is(picture: np.ndarray, tmp_path: Path) -> None:
    jpeg = _encoded(".jpg", picture)
    exif = b"\xff\xe1" + struct.pack(">H", len(_EXIF_ROTATED_90) + 2) + _EXIF_ROTATED_90
    turned = jpeg[:2] + exif + jpeg[2:]
    assert decode_picture(turned).shape == (60, 40, 3)
    assert (decode_picture(turned) == read_picture(str(_written(tmp_path / "a.jpg", turned)))).all()


def _as_array(encoded: bytes) -> np.ndarray:
    return np.frombuffer(encoded, np.uint8)


@pytest.mark.parametrize("kind", [bytearray, memoryview, _as_array])
@pytest.mark.parametrize("knows", [True, False])
def test_an_upload_may_be_any_kind_of_bytes(
    kind: Callable[[bytes], Any], knows: bool, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pictures, "OPENCV_KNOWS_MOST_PIXELS", knows)
    for suffix in (".png", ".jpg", ".webp"):
        assert decode_picture(kind(_encoded(suffix, picture))).shape == (40, 60, 3)
    with pytest.raises(PictureError, match="is empty"):
        decode_picture(kind(b""))


@pytest.mark.parametrize("given", [io.BytesIO(b"abc"), "YWJj", None, 3])
def test_what_is_no_bytes_is_refused_with_what_gives_them(given: object) -> None:
    expected = rf"must be given as bytes, not {type(given).__name__}; \.read\(\) .*base64\.b64decode"
    with pytest.raises(TypeError, match=expected):
        decode_picture(given)


@pytest.mark.parametrize(("share", "reason"), [(0.0, "empty"), (0.5, "truncated")])
def test_bytes_that_are_no_whole_picture_are_refused(picture: np.ndarray, share: float, reason: str) -> None:
    content = _encoded(".jpg", picture)
    with pytest.raises(PictureError, match=f"^This file is {reason}; copy the picture again"):
        decode_picture(content[: int(len(content) * share)])


def test_a_chunk_that_claims_gigabytes_is_a_truncated_picture(picture: np.ndarray, tmp_path: Path) -> None:
    png = _encoded(".png", picture)
    at = png.index(b"IDAT") - 4
    path = _written(tmp_path / "a.png", png[:at] + struct.pack(">I", 2**32 - 1) + png[at + 4 :])
    with pytest.raises(PictureError, match="truncated"):
        read_picture(path)


def _blank_png(side: int) -> bytes:
    """Return a white square of one bit a pixel, which is a thousandth of what it becomes."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress((b"\0" + b"\xff" * ((side + 7) // 8)) * side, 9)),
        (b"IEND", b""),
    ]
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


# What Python sets never reaches an OpenCV that has its own copy of the environment.
_ON_WINDOWS = (
    "import os\nos.name = 'nt'\nimport edge_runtime\nos.name = 'posix'\nos.unsetenv('OPENCV_IO_MAX_IMAGE_PIXELS')\n"
)


@pytest.mark.parametrize("first", ["", "import cv2\n", _ON_WINDOWS])
def test_a_small_file_cannot_claim_gigabytes(tmp_path: Path, first: str) -> None:
    path = _written(tmp_path / "bomb.png", _blank_png(20_000))
    assert path.stat().st_size < 100_000
    script = (
        f"{first}from pathlib import Path; from edge_runtime.pictures import read_picture\n"
        f"try: read_picture(Path({str(path)!r}))\n"
        "except Exception as error: print(type(error).__name__, error)\n"
        # Not ru_maxrss, which starts at the peak of the process that forked this one.
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    environment.pop("OPENCV_IO_MAX_IMAGE_PIXELS", None)
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    message, peak_kib = done.stdout.splitlines()
    assert message.startswith("PictureError")
    assert "larger than any photo" in message
    assert int(peak_kib) < 300 << 10


def _webp_with_exif(width: int, height: int) -> bytes:
    pillow = pytest.importorskip("PIL.Image", reason="needs the train extra")
    content, exif = io.BytesIO(), pillow.Exif()
    exif[0x0112] = 1
    pillow.new("RGB", (width, height)).save(content, "webp", exif=exif)
    return content.getvalue()


def _big_endian_tiff(width: int, height: int) -> bytes:
    """Return a black grey picture in one strip behind its eight tags."""
    start = 8 + 2 + 8 * 12 + 4
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: start, 278: height, 279: width * height}
    entries = b"".join(struct.pack(">HHIHH", tag, 3, 1, value, 0) for tag, value in tags.items())
    return b"MM\0*" + struct.pack(">IH", 8, len(tags)) + entries + bytes(4 + width * height)


def _big_tiff(order: str, width: int, height: int) -> bytes:
    """Return a black grey picture in one strip behind its eight tags, with positions of eight bytes."""
    start = 16 + 8 + 8 * 20 + 8
    tags = {256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: start, 278: height, 279: width * height}
    # The width is of the type that only these files have.
    entries = b"".join(
        struct.pack(f"{order}HHQ", tag, 16, 1) + struct.pack(f"{order}Q", value)
        if tag == 256
        else struct.pack(f"{order}HHQHHI", tag, 3, 1, value, 0, 0)
        for tag, value in tags.items()
    )
    header = (b"II+\0" if order == "<" else b"MM\0+") + struct.pack(f"{order}HHQQ", 8, 0, 16, len(tags))
    return header + entries + bytes(8 + width * height)


_OF_EVERY_KIND = {
    "jpeg": lambda picture: _encoded(".jpg", picture),
    "png": lambda picture: _encoded(".png", picture),
    "bmp": lambda picture: _encoded(".bmp", picture),
    # Rows from the top, and the header of OS/2.
    "bmp from the top": lambda picture: (bmp := _encoded(".bmp", picture))[:22] + struct.pack("<i", -40) + bmp[26:],
    "old bmp": lambda picture: (
        b"BM" + struct.pack("<IIIIHHHH", 26 + 7200, 0, 26, 12, 60, 40, 1, 24) + picture.tobytes()
    ),
    "tiff": lambda picture: _encoded(".tif", picture),
    "tiff of a Macintosh": lambda _: _big_endian_tiff(60, 40),
    "big tiff": lambda _: _big_tiff("<", 60, 40),
    "big tiff of a Macintosh": lambda _: _big_tiff(">", 60, 40),
    "webp": lambda picture: cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, 80])[1].tobytes(),
    "lossless webp": lambda picture: cv2.imencode(".webp", picture, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes(),
    "webp with more in it": lambda _: _webp_with_exif(60, 40),
}


@pytest.mark.parametrize("kind", _OF_EVERY_KIND)
def test_where_opencv_knows_no_limit_sizes_are_read_from_headers(
    kind: str, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = _OF_EVERY_KIND[kind](picture)
    monkeypatch.setattr(pictures, "OPENCV_KNOWS_MOST_PIXELS", False)
    monkeypatch.setattr(pictures, "MOST_PIXELS", 60 * 40)
    assert decode_picture(content).shape == (40, 60, 3)
    assert pictures._claimed_size(content) == (40, 60)
    monkeypatch.setattr(pictures, "MOST_PIXELS", 60 * 40 - 1)
    with pytest.raises(PictureError, match="larger than any photo"):
        decode_picture(content)


@pytest.mark.parametrize("start", [2**64 - 1, 2**62, 10_000])
def test_a_big_tiff_whose_tags_are_nowhere_is_no_picture(start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "OPENCV_KNOWS_MOST_PIXELS", False)
    content = _big_tiff("<", 60, 40)
    with pytest.raises(PictureError, match="size can be checked"):
        decode_picture(content[:8] + struct.pack("<Q", start) + content[16:])


def test_a_size_of_eight_bytes_is_no_size_in_a_tiff_of_four(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "OPENCV_KNOWS_MOST_PIXELS", False)
    content = _big_endian_tiff(60, 40).replace(struct.pack(">HH", 256, 3), struct.pack(">HH", 256, 16))
    # Such a file has the number elsewhere, and here where.
    with pytest.raises(PictureError, match="size can be checked"):
        decode_picture(content)


def test_where_opencv_knows_no_limit_other_kinds_are_refused(
    picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = _encoded(".ppm", picture)
    monkeypatch.setattr(pictures, "OPENCV_KNOWS_MOST_PIXELS", True)
    assert (decode_picture(content) == picture).all()
    monkeypatch.setattr(pictures, "OPENCV_KNOWS_MOST_PIXELS", False)
    with pytest.raises(PictureError, match="save it again as JPEG or PNG, or import edge_runtime before cv2"):
        decode_picture(content)


def test_links_to_folders_are_followed_but_never_round(picture: np.ndarray, tmp_path: Path) -> None:
    folder, far, farther = (tmp_path / name for name in ("in", "far", "farther"))
    for path in (folder / "b.png", folder / ".hidden" / "c.png", far / "a.png", far / ".d.png", farther / "e.png"):
        path.parent.mkdir(parents=True, exist_ok=True)
        _written(path, _encoded(".png", picture))
    for link, target in {
        folder / "far": far,
        folder / "too": far,
        folder / "self": folder,
        folder / "up": tmp_path,
        far / "on": farther,
        farther / "back": far,
        folder / "gone": tmp_path / "gone",
    }.items():
        link.symlink_to(target, target_is_directory=True)
    names = [path.relative_to(folder).as_posix() for path in pictures_under(folder)]
    assert names == ["b.png", "far/a.png", "far/on/e.png", "too/a.png", "too/on/e.png"]


def test_pictures_have_the_order_of_linux_also_where_case_does_not_count(
    picture: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("b.png", "C.png", "a/b.png", "a-b.png", "a/B.png", "a b.png", "Z/y.png", "a.b/c.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        _written(path, _encoded(".png", picture))
    expected = sorted(tmp_path.rglob("*.png"))
    monkeypatch.setattr(PurePath, "__lt__", lambda one, other: str(one).lower() < str(other).lower())
    assert pictures_under(tmp_path) == expected
