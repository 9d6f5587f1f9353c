"""What is known of kinds of garments by their names: how large they are and where they are worn."""

import re
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Slot(StrEnum):
    """Where a garment is worn."""

    HEAD = "head"
    TORSO = "torso"
    LEGS = "legs"
    WHOLE = "whole body"
    FEET = "feet"
    NONE = "nowhere known"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of garment.

    Attributes:
        slot: Where it is worn.
        length: Usual size in centimetres: of hats, shoes and unknown things the longer side, of others the height.
    """

    slot: Slot
    length: float

    @property
    def measured_along_longer_side(self) -> bool:
        """Whether `length` is that of the longer side."""
        return self.slot in (Slot.HEAD, Slot.FEET, Slot.NONE)


_UNKNOWN = Kind(Slot.NONE, 40.0)
_KINDS = MappingProxyType(
    {name: Kind(Slot.HEAD, 30.0) for name in ("hat", "cap", "beanie")}
    | {name: Kind(Slot.FEET, 32.0) for name in ("shoe", "shoes", "boots", "sneakers", "sandals")}
    | {name: Kind(Slot.TORSO, 66.0) for name in ("shirt", "tshirt", "polo", "blouse", "top", "undershirt")}
    | {name: Kind(Slot.TORSO, 70.0) for name in ("longsleeve", "hoodie", "sweater", "sweatshirt", "cardigan")}
    | {name: Kind(Slot.TORSO, 74.0) for name in ("jacket", "outwear", "blazer", "vest")}
    | {name: Kind(Slot.LEGS, 102.0) for name in ("pants", "trousers", "jeans")}
    | {"shorts": Kind(Slot.LEGS, 48.0), "skirt": Kind(Slot.LEGS, 56.0)}
    | {"dress": Kind(Slot.WHOLE, 100.0), "coat": Kind(Slot.WHOLE, 105.0)}
)


def find_kind(label: str) -> Kind:
    """Return what is known of a class by its name, whatever its case, spaces and hyphens."""
    return _KINDS.get(re.sub(r"[\s_-]", "", label.casefold()), _UNKNOWN)
