"""Following the garments of one source from frame to frame."""

from collections.abc import Iterator, Sequence

from edge_runtime.events.association import Observation, associate
from edge_runtime.events.track import Sighting, Track, TrackRules
from edge_runtime.results import FrameResult


class Tracker:
    """Turns what each frame shows into sightings: appeared, settled, left.

    A detector's boxes are followed by their overlap. A classifier's answer is the whole frame, which is one track at
    a time: when the vote goes to another label, one garment has left and another has appeared.
    """

    def __init__(self, rules: TrackRules, numbers: Iterator[int]) -> None:
        """Start with nothing in sight.

        Args:
            rules: When a garment counts as there, as sure, and as gone.
            numbers: Gives each track its number.
        """
        self._rules = rules
        self._numbers = numbers
        self._tracks: list[Track] = []

    def update(self, observations: Sequence[Observation], clock_s: float) -> list[Sighting]:
        """Take what a frame shows.

        Args:
            observations: The garments of the frame; at most one without a box.
            clock_s: When the frame was captured, on the source's clock.

        Returns:
            What is new to say, in order.
        """
        last = [track.last for track in self._tracks]
        pairs = dict(associate(last, observations, least_iou=self._rules.least_iou))
        sightings = self._follow(pairs, observations, clock_s)
        taken = set(pairs.values())
        begun = (observation for j, observation in enumerate(observations) if j not in taken)
        self._tracks += [Track(next(self._numbers), observation, clock_s) for observation in begun]
        return sightings

    def end(self) -> list[Sighting]:
        """Forget all tracks; return that those announced have left."""
        left = [track.leave() for track in self._tracks if track.confirmed]
        self._tracks = []
        return left

    def _follow(self, pairs: dict[int, int], observations: Sequence[Observation], clock_s: float) -> list[Sighting]:
        sightings: list[Sighting] = []
        kept = []
        for i, track in enumerate(self._tracks):
            if i in pairs:
                sightings += track.see(observations[pairs[i]], clock_s, self._rules)
                kept.append(self._changed(track, clock_s, sightings))
            elif track.confirmed and clock_s - track.seen_s < self._rules.leave_s:
                kept.append(track)
            elif track.confirmed:
                sightings.append(track.leave())
        self._tracks = kept
        return sightings

    def _changed(self, track: Track, clock_s: float, sightings: list[Sighting]) -> Track:
        """Return the track, or what follows it when it has become another garment."""
        if not track.has_changed(clock_s, self._rules):
            return track
        sightings.append(track.leave())
        successor, news = track.successor(next(self._numbers), clock_s, self._rules)
        sightings += news
        return successor


def observe(result: FrameResult) -> list[Observation]:
    """Return what a result shows: each box of a detector, or a classifier's best label for the whole frame."""
    if result.detections is not None:
        return [
            Observation(each.label, each.score, each.box, next(iter(each.classifications or ()), None))
            for each in result.detections
        ]
    return [Observation(best.label, best.score, None) for best in result.classifications[:1]]
