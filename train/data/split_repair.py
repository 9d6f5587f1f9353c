"""Seeing to it that both sides of a division show each class."""

from collections import Counter
from collections.abc import Iterable, Sequence, Set
from itertools import chain


def bring_to_both_sides(
    held_out: frozenset[int],
    groups: Sequence[Sequence[int]],
    classes: Sequence[Set[str]],
    target: float,
    kept: Set[int] = frozenset(),
) -> frozenset[int]:
    """Move groups to the other side as long as each move leaves fewer classes absent from a side.

    Args:
        held_out: Photos on one side, whole groups of them.
        groups: All photos, by group.
        classes: What each photo shows.
        target: How many photos there should be on that side; of moves that help alike the nearest to it is taken.
        kept: Photos that stay on their side, whole groups of them.
    """
    division = _Division(held_out, groups, classes, kept)
    moved = True
    while moved:
        # Not any(): each class gets its turn before one gets a second one.
        moved = bool([label for label in division.list_absent() if division.help(label, target)])
    return division.held_out


class _Division:
    """Which groups are held out, and how many photos of each class that are."""

    def __init__(
        self, held_out: Set[int], groups: Sequence[Sequence[int]], classes: Sequence[Set[str]], kept: Set[int]
    ) -> None:
        self._groups = groups
        self._shown = [Counter(chain.from_iterable(classes[index] for index in group)) for group in groups]
        self._is_held = [group[0] in held_out for group in groups]
        self._totals = _add(self._shown)
        self._held = _add(shown for shown, held in zip(self._shown, self._is_held, strict=True) if held)
        self._size = len(held_out)
        self._showing: dict[str, list[int]] = {}
        for place, shown in enumerate(self._shown):
            for label in shown if groups[place][0] not in kept else ():
                self._showing.setdefault(label, []).append(place)

    @property
    def held_out(self) -> frozenset[int]:
        """The photos that are."""
        return frozenset(
            chain.from_iterable(group for group, held in zip(self._groups, self._is_held, strict=True) if held)
        )

    def list_absent(self) -> list[str]:
        """Return the classes that one of the sides does not show."""
        return sorted(label for label in self._totals if self._is_absent(label))

    def help(self, label: str, target: float) -> bool:
        """Move the best group that shows a class, if the class is absent and any move helps."""
        if not self._is_absent(label) or label not in self._showing:
            return False
        cost, _, place = min(
            (self._cost(place), abs(self._size_after(place) - target), place) for place in self._showing[label]
        )
        if cost >= 0:
            return False
        for shown, count in self._shown[place].items():
            self._held[shown] += self._sign(place) * count
        self._size = self._size_after(place)
        self._is_held[place] = not self._is_held[place]
        return True

    def _is_absent(self, label: str, more: int = 0) -> bool:
        return self._held[label] + more in (0, self._totals[label])

    def _cost(self, place: int) -> int:
        """Return how many classes more would be absent if a group moved."""
        sign = self._sign(place)
        return sum(
            self._is_absent(label, sign * count) - self._is_absent(label) for label, count in self._shown[place].items()
        )

    def _sign(self, place: int) -> int:
        return -1 if self._is_held[place] else 1

    def _size_after(self, place: int) -> int:
        return self._size + self._sign(place) * len(self._groups[place])


def _add(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in counters:
        total.update(each)
    return total
