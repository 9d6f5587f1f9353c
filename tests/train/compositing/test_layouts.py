from collections import Counter
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tqdm", reason="needs the train extra")

from train.compositing.garments import Garment
from train.compositing.layouts import Arrangement, Layout, Wardrobe, hang, lie, pick_layout, show, wear
from train.compositing.wardrobe import Slot, find_kind


def make_garments(label: str, count: int = 1) -> list[Garment]:
    return [Garment(label, Path(f"{label}/{number}.png"), b"", 80, 100) for number in range(count)]


@pytest.fixture
def wardrobe() -> Wardrobe:
    """One hat, dress and pair of trousers and shoes, and many shirts."""
    few = [garment for label in ("hat", "pants", "Shoes", "dress") for garment in make_garments(label)]
    return Wardrobe([*few, *make_garments("T-Shirt", 50)])


def arrange(layout: Layout, wardrobe: Wardrobe, seed: int) -> Arrangement:
    return layout(wardrobe, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("label", "slot"),
    [("t-shirt", Slot.TORSO), ("T Shirt", Slot.TORSO), ("Pants", Slot.LEGS), ("shoes", Slot.FEET), ("bag", Slot.NONE)],
)
def test_a_kind_is_known_by_its_name_however_it_is_spelt(label: str, slot: Slot) -> None:
    assert find_kind(label).slot is slot


def test_classes_come_up_alike_whatever_their_numbers(wardrobe: Wardrobe) -> None:
    random = np.random.default_rng(0)
    counts = Counter(wardrobe.pick(random).label for _ in range(1000))
    assert set(counts) == set(wardrobe.labels)
    assert min(counts.values()) > 150


def test_worn_garments_are_in_the_order_of_a_body(wardrobe: Wardrobe) -> None:
    order = [Slot.HEAD, Slot.TORSO, Slot.LEGS, Slot.FEET]
    seen = set()
    for seed in range(60):
        placements = sorted(arrange(wear, wardrobe, seed).placements, key=lambda placement: placement.y)
        slots = [placement.garment.kind.slot for placement in placements]
        seen.update(slots)
        assert Slot.WHOLE in slots or {Slot.TORSO, Slot.LEGS} <= set(slots)
        assert slots == sorted(slots, key=lambda slot: order.index(Slot.TORSO if slot is Slot.WHOLE else slot))
    assert seen == {*order, Slot.WHOLE}


def test_hung_garments_are_side_by_side_under_a_rail(wardrobe: Wardrobe) -> None:
    for seed in range(30):
        arrangement = arrange(hang, wardrobe, seed)
        assert arrangement.rail
        assert 2 <= len(arrangement.placements) <= 4
        for placement in arrangement.placements:
            assert placement.garment.kind.slot in (Slot.TORSO, Slot.LEGS, Slot.WHOLE)
            assert 3 <= placement.y - placement.height / 2 <= 9
        columns = sorted(placement.x for placement in arrangement.placements)
        assert min(np.diff(columns)) > 15


def test_things_that_lie_keep_apart_as_far_as_there_is_room(wardrobe: Wardrobe) -> None:
    for seed in range(30):
        arrangement = arrange(lie, wardrobe, seed)
        spots = np.array([(placement.x, placement.y) for placement in arrangement.placements])
        assert (np.abs(spots[:, 0]) <= arrangement.width / 2).all()
        assert ((spots[:, 1] >= 0) & (spots[:, 1] <= arrangement.height)).all()
        apart = np.linalg.norm(spots[:, None] - spots[None], axis=2)[np.triu_indices(len(spots), 1)]
        assert apart.min() > 10


def test_classes_of_unknown_kinds_lie_or_are_shown() -> None:
    bags = Wardrobe(make_garments("bag", 3))
    layouts = {pick_layout(bags, np.random.default_rng(seed)) for seed in range(30)}
    assert layouts == {lie, show}
    assert arrange(show, bags, 0).placements[0].height == pytest.approx(40, rel=0.13)
