import itertools
import random
from collections.abc import Iterable

import pytest

from edge_runtime.boxes import Box
from edge_runtime.events import ScanKind, Sighting, Tracker, TrackRules
from edge_runtime.events.association import Observation

_APPEARED, _SETTLED, _LEFT = ScanKind.APPEARED, ScanKind.SETTLED, ScanKind.LEFT
_RULES = TrackRules(settle_s=0.45, leave_s=0.95)


def _track(frames: Iterable[list[Observation]], fps: float = 10.0) -> list[tuple[float, Sighting]]:
    """Return what a tracker says about frames, each with its time."""
    tracker = Tracker(_RULES, itertools.count())
    return [
        (index / fps, sighting)
        for index, observations in enumerate(frames)
        for sighting in tracker.update(observations, index / fps)
    ]


def _whole(text: str, score: float = 0.9) -> list[list[Observation]]:
    """Return frames of a classifier: a letter per label, a dot for nothing."""
    return [[] if letter == "." else [Observation(letter, score, None)] for letter in text]


def _left(text: str) -> list[tuple[str, float]]:
    """Return how long each garment of a classifier's frames was seen, the last of them at the end of the run."""
    tracker = Tracker(_RULES, itertools.count())
    told = [each for index, seen in enumerate(_whole(text)) for each in tracker.update(seen, index / 10)]
    return [(each.label, round(each.seen_s, 3)) for each in told + tracker.end() if each.kind is _LEFT]


def _said(told: list[tuple[float, Sighting]]) -> list[tuple[float, ScanKind, str, int]]:
    return [(time_s, sighting.kind, sighting.label, sighting.track) for time_s, sighting in told]


class TestWholeFrames:
    def test_a_garment_appears_settles_and_leaves(self) -> None:
        told = _track(_whole("..hhhhhhhhhh............"))
        assert _said(told) == [(0.3, _APPEARED, "h", 0), (0.7, _SETTLED, "h", 0), (2.1, _LEFT, "h", 0)]
        assert [round(sighting.seen_s, 3) for _, sighting in told] == [0.1, 0.5, 0.9]
        assert told[1][1].score == pytest.approx(0.9)

    def test_a_flash_of_a_single_frame_is_nothing(self) -> None:
        assert _track(_whole("..h..h...h............")) == []

    def test_a_gap_shorter_than_the_debounce_is_no_leaving(self) -> None:
        assert [kind for _, kind, *_ in _said(_track(_whole("hhhhhhhh.......hhhhhhhh")))] == [_APPEARED, _SETTLED]

    def test_the_majority_decides_and_flicker_is_outvoted(self) -> None:
        told = _said(_track(_whole("hshhhshhhshhhhhs" + "." * 15)))
        assert [(kind, label) for _, kind, label, _ in told] == [(_APPEARED, "h"), (_SETTLED, "h"), (_LEFT, "h")]

    def test_no_majority_is_never_settled(self) -> None:
        assert [kind for _, kind, *_ in _said(_track(_whole("hs" * 40 + "." * 40), fps=30.0))] == [_APPEARED, _LEFT]

    def test_another_garment_in_its_place_is_another_track(self) -> None:
        told = _said(_track(_whole("h" * 12 + "s" * 12)))
        assert [(kind, label, track) for _, kind, label, track in told] == [
            (_APPEARED, "h", 0),
            (_SETTLED, "h", 0),
            (_LEFT, "h", 0),
            (_APPEARED, "s", 1),
            (_SETTLED, "s", 1),
        ]
        assert told[2][0] == pytest.approx(1.5, abs=0.11)

    @pytest.mark.parametrize(
        ("text", "left"),
        [
            ("h" * 12 + "s" * 12, [("h", 1.1), ("s", 1.1)]),
            ("h" * 8 + "sh" + "s" * 9, [("h", 0.9), ("s", 0.8)]),
            ("h" * 8 + "ssh" + "s" * 9, [("h", 1.0), ("s", 0.8)]),
            # Its last vote has long left the window.
            ("h" * 8 + "xyz" * 5 + "s" * 9, [("h", 0.7), ("s", 0.8)]),
            ("h" * 8 + "s", [("h", 0.7)]),
            ("hh" + "s" * 9, [("s", 0.8)]),
            # As has its first vote where nothing has settled yet; one that is still in it counts.
            ("h" + "sdx" * 30 + "h" * 9, [("h", 0.8)]),
            ("h" + "sdhsd" + "h" * 9, [("h", 1.4)]),
        ],
    )
    def test_a_garment_is_seen_from_its_first_to_its_last_vote(self, text: str, left: list[tuple[str, float]]) -> None:
        assert _left(text) == left

    def test_garments_in_one_place_are_never_seen_at_once(self) -> None:
        random.seed(0)
        for _ in range(100):
            text = "".join(random.choice("hsd") * random.randint(1, 9) for _ in range(20))
            left = _left(text)
            # From each to the next there is a frame.
            assert sum(seen_s for _, seen_s in left) <= (len(text) - len(left)) / 10 + 1e-6, text

    def test_what_follows_settles_at_once_though_it_was_seen_shortly(self) -> None:
        told = _track(_whole("h" * 8 + "s" * 5))
        assert [(sighting.kind, round(sighting.seen_s, 3)) for _, sighting in told[-3:]] == [
            (_LEFT, 0.7),
            (_APPEARED, 0.2),
            (_SETTLED, 0.2),
        ]

    def test_what_comes_back_is_another_track(self) -> None:
        told = _said(_track(_whole("hhhhhhhh" + "." * 12 + "hhhhhhhh")))
        assert [track for _, kind, _, track in told if kind is _SETTLED] == [0, 1]

    def test_one_frame_a_second_is_enough(self) -> None:
        told = _said(_track(_whole("hhhh..."), fps=1.0))
        assert told == [(1.0, _APPEARED, "h", 0), (2.0, _SETTLED, "h", 0), (4.0, _LEFT, "h", 0)]

    def test_the_end_lets_everything_leave_that_had_appeared(self) -> None:
        tracker = Tracker(_RULES, itertools.count())
        assert tracker.end() == []
        tracker.update([Observation("h", 0.9, None)], 0.0)
        assert tracker.end() == []
        for tenth in range(3):
            tracker.update([Observation("h", 0.9, None)], tenth / 10)
        assert [sighting.kind for sighting in tracker.end()] == [_LEFT]
        assert tracker.end() == []


class TestBoxes:
    def test_two_garments_that_pass_each_other_keep_their_tracks(self) -> None:
        frames = [
            [Observation("hat", 0.9, _box(10 * step, 0)), Observation("shoes", 0.9, _box(190 - 10 * step, 30))]
            for step in range(20)
        ]
        told = _said(_track([*frames, *[[]] * 12]))
        by_track = {track: [(kind, label) for _, kind, label, number in told if number == track] for track in (0, 1)}
        for track, label in ((0, "hat"), (1, "shoes")):
            assert by_track[track] == [(_APPEARED, label), (_SETTLED, label), (_LEFT, label)]

    def test_the_box_is_where_it_was_last_seen(self) -> None:
        told = _track([[Observation("hat", 0.9, _box(5 * step, 0))] for step in range(8)])
        assert told[-1][1].kind is _SETTLED
        assert told[-1][1].box == _box(25, 0)

    def test_the_votes_are_bounded(self) -> None:
        tracker = Tracker(_RULES, itertools.count())
        for frame in range(5000):
            tracker.update([Observation("hat", 0.9, _box(0, 0))], frame / 30)
        (track,) = tracker._tracks
        assert len(track._votes) <= 17


def _box(left: float, top: float) -> Box:
    return (left, top, left + 50.0, top + 50.0)


def test_a_garment_of_any_score_that_is_reported_is_followed() -> None:
    tracker = Tracker(_RULES, itertools.count())
    shirt = Observation("shirt", 0.1, (0, 0, 10, 10))
    told = [tracker.update([shirt], clock_s) for clock_s in (0.0, 0.1)]
    assert [[each.label for each in news] for news in told] == [[], ["shirt"]]


def test_a_surer_garment_in_the_same_place_takes_no_track_from_one_that_is_still_seen() -> None:
    tracker = Tracker(_RULES, itertools.count())
    shirt, jacket = Observation("shirt", 0.4, (0, 0, 10, 10)), Observation("jacket", 0.9, (0, 0, 10, 9))
    for clock_s in (0.0, 0.1):
        tracker.update([shirt], clock_s)
    told = [each for clock_s in (0.2, 0.3) for each in tracker.update([jacket, shirt], clock_s)]
    assert [(each.kind, each.label, each.track) for each in told] == [(ScanKind.APPEARED, "jacket", 1)]
