"""Where garments are in a scene, in centimetres, before a camera looks at it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from train.compositing.garments import Garment
from train.compositing.wardrobe import Slot

_SIZES = (0.88, 1.12)
_TRIES = 12


@dataclass(frozen=True, slots=True)
class Placement:
    """A garment in a scene.

    Attributes:
        garment: What is there.
        x: Its centre, centimetres to the right of the middle.
        y: Its centre, centimetres below the upper edge.
        scale: Centimetres per pixel of its picture.
        angle: Degrees clockwise.
    """

    garment: Garment
    x: float
    y: float
    scale: float
    angle: float

    @property
    def width(self) -> float:
        """Centimetres, before it is turned."""
        return self.garment.width * self.scale

    @property
    def height(self) -> float:
        """Centimetres, before it is turned."""
        return self.garment.height * self.scale


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Garments in a scene.

    Attributes:
        placements: From back to front.
        width: Centimetres that matter, half of them on each side of x = 0.
        height: Centimetres that matter, from y = 0 downwards.
        depth: Centimetres from a garment to the background that its shadow falls on.
        closest: How many times larger than fits a camera may see it.
        rail: Whether a rail runs along y = 0.
    """

    placements: tuple[Placement, ...]
    width: float
    height: float
    depth: float
    closest: float = 1.1
    rail: bool = False


class Wardrobe:
    """Garments by where they are worn, to choose from.

    Classes come up alike, however many garments each has.
    """

    def __init__(self, garments: Sequence[Garment]) -> None:
        self._by_label: dict[str, list[Garment]] = {}
        for garment in garments:
            self._by_label.setdefault(garment.label, []).append(garment)

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names, sorted."""
        return tuple(sorted(self._by_label))

    def has(self, *slots: Slot) -> bool:
        """Tell whether a garment is worn in one of these places."""
        return any(garments[0].kind.slot in slots for garments in self._by_label.values())

    def pick(self, random: np.random.Generator, *slots: Slot) -> Garment:
        """Return a garment worn in one of these places, or any garment where none is named."""
        labels = [label for label, each in self._by_label.items() if not slots or each[0].kind.slot in slots]
        garments = self._by_label[labels[int(random.integers(len(labels)))]]
        return garments[int(random.integers(len(garments)))]


def wear(wardrobe: Wardrobe, random: np.random.Generator) -> Arrangement:
    """Stack garments as if one person wore them or held them up: hat, top, bottoms, shoes."""
    tall = float(random.uniform(160, 190))
    # Upper edge of each, as a share of the person's height; of hats and shoes the lower one.
    edges = {Slot.FEET: 1.0, Slot.WHOLE: 0.17, Slot.LEGS: 0.42, Slot.TORSO: 0.16, Slot.HEAD: 0.1}
    worn = (Slot.FEET, *_pick_body(wardrobe, random), Slot.HEAD)
    placements = []
    for slot in worn:
        if not wardrobe.has(slot) or (slot in (Slot.FEET, Slot.HEAD) and random.random() < 0.25):
            continue
        placement = _place(wardrobe.pick(random, slot), random, angle=float(random.normal(0, 3)))
        below = -0.5 if slot in (Slot.FEET, Slot.HEAD) else 0.5
        y = edges[slot] * tall + below * placement.height + float(random.normal(0, 2))
        placements.append(replace(placement, x=float(random.normal(0, 2)), y=y))
    return Arrangement(tuple(placements), 110.0, tall, depth=25.0, closest=2.0)


def _pick_body(wardrobe: Wardrobe, random: np.random.Generator) -> tuple[Slot, ...]:
    """Return what covers the body, from back to front: a shirt is worn over the trousers or tucked in."""
    if wardrobe.has(Slot.WHOLE) and random.random() < 0.3:
        return (Slot.WHOLE,)
    return (Slot.LEGS, Slot.TORSO) if random.random() < 0.7 else (Slot.TORSO, Slot.LEGS)


def hang(wardrobe: Wardrobe, random: np.random.Generator) -> Arrangement:
    """Hang two to four garments from a rail, some partly behind their neighbours."""
    placements, x = [], 0.0
    for _ in range(int(random.integers(2, 5))):
        placement = _place(wardrobe.pick(random, Slot.TORSO, Slot.LEGS, Slot.WHOLE), random, float(random.normal(0, 2)))
        step = placement.width * float(random.uniform(0.65, 1.1))
        y = float(random.uniform(3, 9)) + placement.height / 2
        placements.append(replace(placement, x=x + step / 2, y=y))
        x += step
    shifted = [replace(each, x=each.x - x / 2) for each in placements]
    order = random.permutation(len(shifted))
    height = max(each.y + each.height / 2 for each in shifted)
    return Arrangement(tuple(shifted[index] for index in order), x, height, depth=6.0, closest=1.5, rail=True)


def lie(wardrobe: Wardrobe, random: np.random.Generator) -> Arrangement:
    """Spread two to six things on a table or floor, turned any way, with little on top of one another."""
    side = float(random.uniform(120, 190))
    placements: list[Placement] = []
    for _ in range(int(random.integers(2, 7))):
        angle = float(random.uniform(-180, 180) if random.random() < 0.3 else random.normal(0, 12))
        placement = _place(wardrobe.pick(random), random, angle)
        spots = random.uniform((-side / 2, 0), (side / 2, side), (_TRIES, 2))
        x, y = max(spots.tolist(), key=lambda spot: _measure_room(spot, placements, side))
        placements.append(replace(placement, x=x, y=y))
    return Arrangement(tuple(placements), side, side, depth=1.5)


def show(wardrobe: Wardrobe, random: np.random.Generator) -> Arrangement:
    """Hold one garment up to the camera."""
    placement = _place(wardrobe.pick(random), random, angle=float(random.normal(0, 8)))
    placement = replace(placement, y=placement.height * 0.6)
    return Arrangement((placement,), placement.width * 1.2, placement.height * 1.2, depth=15.0, closest=1.2)


def _measure_room(spot: list[float], placements: Sequence[Placement], side: float) -> float:
    """Return the distance in centimetres to the nearest thing, or to the edge where that is nearer."""
    x, y = spot
    edges = min(side / 2 - abs(x), y, side - y)
    return min([2 * edges, *(math.hypot(x - each.x, y - each.y) for each in placements)])


def _place(garment: Garment, random: np.random.Generator, angle: float) -> Placement:
    kind = garment.kind
    side = max(garment.width, garment.height) if kind.measured_along_longer_side else garment.height
    return Placement(garment, 0.0, 0.0, kind.length * float(random.uniform(*_SIZES)) / side, angle)


Layout = Callable[[Wardrobe, np.random.Generator], Arrangement]


def pick_layout(wardrobe: Wardrobe, random: np.random.Generator) -> Layout:
    """Return one of the layouts that the classes of a wardrobe allow."""
    layouts: list[Layout] = [lie, show]
    if wardrobe.has(Slot.TORSO, Slot.LEGS, Slot.WHOLE):
        layouts += [hang]
    if wardrobe.has(Slot.TORSO) and wardrobe.has(Slot.LEGS):
        layouts += [wear, wear]
    return layouts[int(random.integers(len(layouts)))]
