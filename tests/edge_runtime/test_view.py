import click
import numpy as np
import pytest

from edge_runtime.options.frames import parse_region
from edge_runtime.view import Region, View

_CORNERS = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)


def test_no_view_is_the_frame_itself() -> None:
    assert View().apply(_CORNERS) is _CORNERS


@pytest.mark.parametrize(("degrees", "turns"), [(90, -1), (180, 2), (270, 1)])
def test_frames_are_turned_clockwise(degrees: int, turns: int) -> None:
    np.testing.assert_array_equal(View(rotate=degrees).apply(_CORNERS), np.rot90(_CORNERS, turns))


def test_turning_comes_before_mirroring_and_mirroring_before_cutting() -> None:
    view = View(90, mirror=True, region=Region(0, 0, 1, 2, shares=False))
    np.testing.assert_array_equal(view.apply(_CORNERS), np.rot90(_CORNERS, -1)[:, ::-1][:2, :1])


def test_a_view_from_the_side_needs_the_other_sides() -> None:
    assert View(rotate=90).enough_for((100, 200)) == (200, 100)
    assert View(rotate=180).enough_for((100, 200)) == (100, 200)


def test_a_region_needs_whole_frames() -> None:
    assert View(region=Region(0, 0, 1, 1, shares=True)).enough_for((100, 200)) is None


def test_a_region_shares_the_frames_memory() -> None:
    assert np.shares_memory(View(region=Region(1, 0, 2, 2, shares=False)).apply(_CORNERS), _CORNERS)


@pytest.mark.parametrize(
    ("text", "rows", "columns"),
    [
        ("10,20,30,40", (20, 60), (10, 40)),
        ("0.25,0.5,0.5,0.5", (50, 100), (50, 150)),
        ("0,0,1,1", (0, 100), (0, 200)),
        ("0.9,0.1,0.1,0.9", (10, 100), (180, 200)),
        ("190,90,50,50", (90, 100), (190, 200)),
        ("500,0,10,10", (0, 10), (200, 200)),
    ],
)
def test_regions_are_pixels_or_shares_within_the_frame(
    text: str, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    assert parse_region(text).pixels(100, 200) == (slice(*rows), slice(*columns))


@pytest.mark.parametrize("text", ["", "1,2,3", "a,b,c,d", "-1,0,5,5", "0,0,0,5", "0.5,0,0.6,1"])
def test_what_is_no_region_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"not four numbers|at least 0|at most 1"):
        parse_region(text)


@pytest.mark.parametrize("text", ["nan,0,5,5", "0,nan,1,1", "0,0,inf,1", "0,0,1,9e999", "1e308,0,1e308,1"])
def test_what_is_no_number_of_pixels_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="finite"):
        parse_region(text)
