from pathlib import Path

import PIL.Image
import pytest

from edge_runtime.pictures import read_picture
from train.data.boxes import measure_photo

_SIZE = (100, 80)  # width, height


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif"])
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_photo_is_measured_as_it_is_read(suffix: str, orientation: int, tmp_path: Path) -> None:
    path = tmp_path / f"turned.{suffix}"
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    PIL.Image.new("RGB", _SIZE).save(path, exif=exif)
    assert measure_photo(path) == ((80, 100) if orientation == 6 else _SIZE)
    assert measure_photo(path) == read_picture(path).shape[1::-1]


@pytest.mark.parametrize("suffix", ["jpg", "webp"])
def test_a_photo_that_xmp_alone_says_to_turn_is_measured_as_it_is_read(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"lying.{suffix}"
    PIL.Image.new("RGB", _SIZE).save(path, xmp=b'<rdf:Description tiff:Orientation="6"/>')
    assert measure_photo(path) == _SIZE
    assert measure_photo(path) == read_picture(path).shape[1::-1]
