"""One garment through the frames that show it: a vote over its labels, and what has been said about it."""

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from edge_runtime.boxes import Box
from edge_runtime.events.association import Observation
from edge_runtime.events.event import ScanKind
from edge_runtime.results import Classification

# At low frame rates the window may hold a single frame, which is no vote.
LEAST_VOTES: Final = 3


@dataclass(frozen=True, slots=True)
class TrackRules:
    """When a garment counts as there, as sure, and as gone.

    Attributes:
        settle_s: Seconds that the vote covers; a garment settles no sooner.
        leave_s: Seconds without being seen after which a garment has left.
        least_share: Share of the vote in (0.5, 1] that a label needs to settle.
        least_iou: Overlap of boxes in (0, 1] that makes two observations one garment.
    """

    settle_s: float = 0.6
    leave_s: float = 1.0
    least_share: float = 0.6
    least_iou: float = 0.3


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a tracker has to say; attributes as of `ScanEvent`."""

    kind: ScanKind
    track: int
    label: str
    score: float
    box: Box | None
    seen_s: float
    refined_label: str | None = None
    refined_score: float | None = None


@dataclass(frozen=True, slots=True)
class _Vote:
    clock_s: float
    label: str
    score: float
    refined: Classification | None


@dataclass(frozen=True, slots=True)
class _Result:
    """Of a vote: the label with the largest sum of scores, its mean score, and its share of all scores."""

    label: str
    score: float
    share: float


class Track:
    """A garment that is followed.

    Attributes:
        number: Of the track, within the run.
        last: Its latest observation.
        seen_s: When that was, on the source's clock.
        confirmed: It was seen twice, and `APPEARED` was said.
    """

    def __init__(self, number: int, first: Observation, clock_s: float) -> None:
        self.number = number
        self.last = first
        self.seen_s = self._first_s = clock_s
        self.confirmed = False
        self._settles_at_once = False
        self._settled: tuple[_Result, _Result | None] | None = None
        self._votes = deque([_Vote(clock_s, first.label, first.score, first.refined)])
        # When each label was voted for first and last: a frame that shows another garment does not show this one.
        self._from_s = {first.label: clock_s}
        self._to_s = {first.label: clock_s}

    def see(self, observation: Observation, clock_s: float, rules: TrackRules) -> list[Sighting]:
        """Add an observation; return what is new to say."""
        self.last, self.seen_s = observation, clock_s
        self._votes.append(_Vote(clock_s, observation.label, observation.score, observation.refined))
        self._from_s.setdefault(observation.label, clock_s)
        self._to_s[observation.label] = clock_s
        while len(self._votes) > LEAST_VOTES and self._votes[0].clock_s < clock_s - rules.settle_s:
            self._votes.popleft()
        if self._settled is None:
            # A label that has lost all its votes and comes back much later was not seen all the while.
            self._from_s = {vote.label: self._from_s[vote.label] for vote in self._votes}
        sightings = []
        if not self.confirmed:
            self.confirmed = True
            sightings.append(self._sighting(ScanKind.APPEARED))
        if self._settled is None and self._is_sure(clock_s, rules):
            self._settled = (self._winner(), self._refined())
            sightings.append(self._sighting(ScanKind.SETTLED))
        return sightings

    def has_changed(self, clock_s: float, rules: TrackRules) -> bool:
        """Tell whether the latest frame shows another garment, which this one has become by the rule for settling."""
        return (
            self._settled is not None
            and self._settled[0].label != self.last.label == self._winner().label
            and self._is_sure(clock_s, rules)
        )

    def leave(self) -> Sighting:
        """Return what to say when it is gone."""
        return self._sighting(ScanKind.LEFT)

    def successor(self, number: int, clock_s: float, rules: TrackRules) -> tuple["Track", list[Sighting]]:
        """Return the track of the garment that this one has become, and what to say about it."""
        votes = [vote for vote in self._votes if vote.label == self.last.label]
        gone_s = self._to_s[self._goes_by()[0].label]
        # A vote between those for the garment that is gone was flicker.
        begun_s = min((vote.clock_s for vote in votes if vote.clock_s > gone_s), default=clock_s)
        track = Track(number, self.last, begun_s)
        track._votes = deque(votes[:-1])
        # Its frames were all seen already.
        track._settles_at_once = True
        return track, track.see(self.last, clock_s, rules)

    def _is_sure(self, clock_s: float, rules: TrackRules) -> bool:
        old_enough = self._settles_at_once or clock_s - self._first_s >= rules.settle_s
        return old_enough and len(self._votes) >= LEAST_VOTES and self._winner().share >= rules.least_share

    def _winner(self) -> _Result:
        return _count((vote.label, vote.score) for vote in self._votes)

    def _refined(self) -> _Result | None:
        """Return what most second looks say; None where most were not sure, or none was taken."""
        sure = [vote.refined for vote in self._votes if vote.refined is not None]
        return _count((look.label, look.score) for look in sure) if 2 * len(sure) > len(self._votes) else None

    def _goes_by(self) -> tuple[_Result, _Result | None]:
        return self._settled or (self._winner(), self._refined())

    def _sighting(self, kind: ScanKind) -> Sighting:
        winner, refined = self._goes_by()
        more = (None, None) if refined is None else (refined.label, refined.score)
        seen_s = self._to_s[winner.label] - self._from_s[winner.label]
        return Sighting(kind, self.number, winner.label, winner.score, self.last.box, seen_s, *more)


def _count(votes: Iterable[tuple[str, float]]) -> _Result:
    scores = defaultdict[str, list[float]](list)
    for label, score in votes:
        scores[label].append(score)
    best = max(scores, key=lambda name: sum(scores[name]))
    won, total = sum(scores[best]), sum(map(sum, scores.values()))
    return _Result(best, won / len(scores[best]), won / max(total, 1e-9))
