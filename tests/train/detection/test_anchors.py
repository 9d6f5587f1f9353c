import numpy as np
import pytest

from train.detection.anchor_fitting import fit_levels, fit_shapes, overlap_shapes
from train.detection.anchors import Level, choose_pyramid_levels, choose_ssd_levels, make_anchors


def test_anchors_stand_on_cell_centres_in_the_order_of_the_outputs() -> None:
    anchors = make_anchors([Level(2, ((0.5, 0.25), (0.1, 0.2))), Level(1, ((1.0, 1.0), (0.3, 0.4)))])
    assert anchors.dtype == np.float32
    np.testing.assert_allclose(
        anchors,
        [
            [0.25, 0.25, 0.5, 0.25],
            [0.25, 0.25, 0.1, 0.2],
            [0.25, 0.75, 0.5, 0.25],
            [0.25, 0.75, 0.1, 0.2],
            [0.75, 0.25, 0.5, 0.25],
            [0.75, 0.25, 0.1, 0.2],
            [0.75, 0.75, 0.5, 0.25],
            [0.75, 0.75, 0.1, 0.2],
            [0.5, 0.5, 1.0, 1.0],
            [0.5, 0.5, 0.3, 0.4],
        ],
    )


def test_ssd_scales_run_evenly_from_a_fifth_to_nearly_all() -> None:
    levels = choose_ssd_levels((20, 10, 5, 3, 2, 1))
    squares = [level.shapes[0][0] for level in levels]
    np.testing.assert_allclose(squares, [0.2, 0.35, 0.5, 0.65, 0.8, 0.95])
    wide, between = levels[0].shapes[1], levels[0].shapes[-1]
    assert wide == pytest.approx((0.2 / 2**0.5, 0.2 * 2**0.5))
    assert between == pytest.approx(((0.2 * 0.35) ** 0.5,) * 2)
    assert {len(level.shapes) for level in levels} == {6}


def test_pyramid_anchors_are_four_cells_wide_and_half_an_octave_more() -> None:
    first, second, *_ = choose_pyramid_levels((40, 20))[0].shapes[0::3]
    assert first == pytest.approx((0.1, 0.1))
    assert second == pytest.approx((0.1 * 2**0.5,) * 2)


def test_fitted_shapes_find_the_groups_that_are_there() -> None:
    random = np.random.default_rng(0)
    truth = np.array([[0.1, 0.2], [0.6, 0.3]], np.float32)
    boxes = np.concatenate([shape * random.uniform(0.95, 1.05, (40, 2)) for shape in truth]).astype(np.float32)
    fitted = np.array(sorted(fit_shapes(boxes, 2)))
    np.testing.assert_allclose(fitted, truth, rtol=0.03)


def test_fitting_never_overlaps_less_than_a_random_choice() -> None:
    boxes = np.random.default_rng(1).uniform(0.05, 0.9, (200, 2)).astype(np.float32)
    fitted = np.array(fit_shapes(boxes, 6), np.float32)
    chosen = boxes[np.random.default_rng(0).choice(200, 6, replace=False)]
    assert overlap_shapes(boxes, fitted).max(axis=1).mean() > overlap_shapes(boxes, chosen).max(axis=1).mean()


def test_boxes_are_fitted_on_the_map_that_suits_their_size() -> None:
    random = np.random.default_rng(0)
    usual = choose_pyramid_levels((40, 20, 10))
    # Sides of about 4 cells of the finest map, and of 4 of the coarsest.
    flat = np.array([0.05, 0.15]) * random.uniform(0.9, 1.1, (60, 2))
    high = np.array([0.7, 0.3]) * random.uniform(0.9, 1.1, (60, 2))
    fine, middle, coarse = fit_levels(np.concatenate([flat, high]).astype(np.float32), usual, 2)
    np.testing.assert_allclose(fine.shapes, [(0.05, 0.15)] * 2, rtol=0.1)
    np.testing.assert_allclose(coarse.shapes, [(0.7, 0.3)] * 2, rtol=0.1)
    assert middle.shapes == usual[1].shapes[:2]
    assert [level.cells for level in (fine, middle, coarse)] == [40, 20, 10]
