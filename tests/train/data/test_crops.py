import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

pytest.importorskip("tqdm", reason="needs the train extra")

from edge_runtime.errors import DataError
from train.cli import main

_SIZE = (100, 80)  # width, height


def _write_photos(folder: Path, *names: str) -> Path:
    """Write noise with a box on each photo but the last, and return the COCO file."""
    random = np.random.default_rng(0)
    photos = dict(enumerate(names))
    for name in names:
        cv2.imwrite(str(folder / name), random.integers(256, size=(_SIZE[1], _SIZE[0], 3), dtype=np.uint8))
    content = {
        "images": [{"id": number, "file_name": name} for number, name in photos.items()],
        "annotations": [
            {"id": number, "image_id": number, "category_id": 1, "bbox": [20, 10, 40, 40]}
            for number in range(len(names) - 1)
        ],
        "categories": [{"id": 1, "name": "hat"}],
    }
    path = folder / "instances.json"
    path.write_text(json.dumps(content))
    return path


def _crop(data: Path, output: Path) -> Result:
    options = ["-o", str(output / "crops"), "--backgrounds", str(output / "none")]
    return CliRunner().invoke(main, ["crops", str(data), *options])


@pytest.mark.parametrize("name", ["b.jpg", "c.jpg"])
def test_a_photo_that_cannot_be_read_ends_the_command_before_anything_is_written(tmp_path: Path, name: str) -> None:
    """The second has no box, and its header is whole."""
    data = _write_photos(tmp_path, "a.jpg", "b.jpg", "c.jpg")
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    result = _crop(data, tmp_path)
    assert result.exit_code == DataError.exit_code
    assert f"{name} is truncated" in result.stderr
    assert not (tmp_path / "crops").exists()
    assert not (tmp_path / "none").exists()
    (tmp_path / name).write_bytes(whole)
    assert _crop(data, tmp_path).exit_code == 0


def test_only_the_list_of_crops_is_flushed_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can be cut again from photos that stay need not outlive a power cut."""
    flushed: list[int] = []
    monkeypatch.setattr("edge_runtime.files.os.fsync", flushed.append)
    assert _crop(_write_photos(tmp_path, "a.jpg", "b.jpg", "c.jpg"), tmp_path).exit_code == 0
    assert len(list((tmp_path / "crops" / "hat").iterdir())) == 2
    assert len(flushed) == 1
