import cv2
import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs the train extra")

from edge_runtime.drawing import draw_garment
from edge_runtime.preprocess import Image
from train.check.hashing import cluster, find_near_pairs, hash_image, shrink


def near(*images: Image) -> list[list[int]]:
    hashes, thumbnails = (
        np.array([hash_image(image) for image in images]),
        np.array([shrink(image) for image in images]),
    )
    return find_near_pairs(hashes, thumbnails).tolist()


@pytest.fixture
def photo() -> Image:
    return draw_garment("shirt", 3, (320, 240))


def test_a_photo_resized_or_compressed_is_nearly_the_same(photo: Image) -> None:
    half = cv2.resize(photo, (120, 160), interpolation=cv2.INTER_AREA)
    poor = cv2.imdecode(cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR)
    assert near(photo, half, poor) == [[0, 1], [0, 2], [1, 2]]


def test_other_garments_and_other_colours_are_not_the_same(photo: Image) -> None:
    other_colour = np.ascontiguousarray(photo[:, :, ::-1])
    assert near(photo, other_colour, draw_garment("pants", 4, (320, 240)), draw_garment("shirt", 9, (320, 240))) == []


def test_one_photo_or_none_has_no_pairs(photo: Image) -> None:
    assert near(photo) == []
    assert near() == []


def test_pairs_join_into_clusters() -> None:
    numbers = cluster(5, np.array([[0, 3], [3, 4]]))
    assert numbers[0] == numbers[3] == numbers[4]
    assert len(set(numbers.tolist())) == 3
