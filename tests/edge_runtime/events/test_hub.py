import json
import uuid

import numpy as np
import pytest

from edge_runtime.events import Event, EventHub, HealthEvent, HealthKind, ScanEvent, ScanKind, Scanner
from edge_runtime.results import Classification, Detection, FrameResult, StageTimes
from edge_runtime.sources import Frame

_SHA = "ab" * 32


def _frame(source: str, clock_s: float) -> Frame:
    return Frame(np.zeros((1, 1, 3), np.uint8), source, 0, 1000.0 + clock_s, 0.0, clock_s)


def _result(*detections: Detection, clock_s: float = 0.0) -> FrameResult:
    classified = (Classification("hat", 0.75), Classification("shoes", 0.25))
    return FrameResult("", 0, 1000.0 + clock_s, 1, 1, classified, detections or None, StageTimes(0, 0, 0, 0), _SHA)


def _hub() -> tuple[EventHub, list[Event]]:
    heard: list[Event] = []
    hub = EventHub()
    hub.listen(heard.append)
    return hub, heard


def test_events_are_numbered_without_gaps_and_no_id_comes_twice() -> None:
    hub, heard = _hub()
    for _ in range(50):
        hub.health(HealthKind.SOURCE_LOST, "camera:0", "gone")
    assert [event.sequence for event in heard] == list(range(50))
    assert len({event.id for event in heard}) == 50
    assert {uuid.UUID(event.id).version for event in heard} == {5}


def test_ids_follow_from_run_and_sequence() -> None:
    run = uuid.uuid4()
    ids = []
    for _ in range(2):
        hub = EventHub(run)
        hub.listen(lambda event: ids.append(event.id))
        hub.health(HealthKind.SOURCE_LOST, "camera:0", "gone")
    assert ids[0] == ids[1]
    assert EventHub()._run != EventHub()._run


def test_an_answer_to_an_event_is_heard_after_it_by_everybody() -> None:
    hub = EventHub()
    heard: list[tuple[str, HealthKind]] = []

    def answering(event: Event) -> None:
        assert isinstance(event, HealthEvent)
        heard.append(("first", event.kind))
        if event.kind is HealthKind.SOURCE_LOST:
            hub.health(HealthKind.SOURCE_BACK, "camera:0", "back")

    hub.listen(answering)
    hub.listen(lambda event: heard.append(("second", event.kind)))  # type: ignore[union-attr,arg-type]
    hub.health(HealthKind.SOURCE_LOST, "camera:0", "gone")
    lost, back = HealthKind.SOURCE_LOST, HealthKind.SOURCE_BACK
    assert heard == [("first", lost), ("second", lost), ("first", back), ("second", back)]


def _failing(event: Event) -> None:
    raise BrokenPipeError(event.sequence)


def test_a_listener_that_fails_keeps_no_event_from_the_others() -> None:
    hub = EventHub()
    heard: list[Event] = []
    hub.listen(_failing)
    hub.listen(heard.append)
    with pytest.raises(BrokenPipeError, match="0"):
        hub.health(HealthKind.SOURCE_LOST, "camera:0", "gone")

    def send_three() -> None:
        with hub.together():
            for _ in range(3):
                hub.health(HealthKind.SOURCE_LOST, "camera:0", "gone")

    with pytest.raises(BrokenPipeError, match="1"):
        send_three()
    assert [event.sequence for event in heard] == [0, 1, 2, 3]


def test_a_listener_of_a_block_hears_nothing_after_it() -> None:
    hub, heard = _hub()
    also: list[Event] = []
    with hub.listened_to(also.append):
        hub.health(HealthKind.SOURCE_LOST, "camera:0", "gone")
    hub.health(HealthKind.SOURCE_BACK, "camera:0", "back")
    assert (len(heard), len(also)) == (2, 1)


def test_a_health_event_is_json() -> None:
    hub, heard = _hub()
    hub.health(HealthKind.SOURCE_LOST, "camera:0", "camera:0 stopped.")
    values = json.loads(json.dumps(heard[0].to_dict()))
    assert set(values) == {"type", "id", "run", "sequence", "timestamp", "kind", "source", "message"}
    assert (values["type"], values["kind"], values["source"]) == ("health", "source_lost", "camera:0")


class TestScanner:
    def test_a_scan_event_says_what_where_and_by_which_model(self) -> None:
        hub, heard = _hub()
        scanner = Scanner(hub)
        for tenth in range(8):
            scanner.see(_frame("camera:0", tenth / 10), _result(clock_s=tenth / 10))
        assert [event.kind for event in heard] == [ScanKind.APPEARED, ScanKind.SETTLED]
        values = json.loads(json.dumps(heard[1].to_dict()))
        assert values.pop("id") == heard[1].id
        assert values.pop("run") == heard[1].run
        assert values == {
            "type": "scan",
            "sequence": 1,
            "timestamp": 1000.6,
            "video_s": None,
            "kind": "settled",
            "source": "camera:0",
            "track": 0,
            "label": "hat",
            "score": 0.75,
            "box": None,
            "seen_s": 0.6,
            "model_sha256": _SHA,
            "refined_label": None,
            "refined_score": None,
        }

    def test_boxes_of_a_detector_are_followed_each(self) -> None:
        hub, heard = _hub()
        scanner = Scanner(hub)
        boxes = [Detection("hat", 0.9, (0, 0, 9, 9)), Detection("shoes", 0.8, (50, 50, 60, 60))]
        for tenth in range(8):
            scanner.see(_frame("camera:0", tenth / 10), _result(*boxes))
        settled = [event for event in heard if isinstance(event, ScanEvent) and event.kind is ScanKind.SETTLED]
        assert [(event.label, event.box) for event in settled] == [("hat", (0, 0, 9, 9)), ("shoes", (50, 50, 60, 60))]

    def test_second_looks_have_a_vote_of_their_own(self) -> None:
        hub, heard = _hub()
        scanner = Scanner(hub)
        looks = [("polo", 0.6), ("t-shirt", 0.9), None, ("t-shirt", 0.7), ("t-shirt", 0.8), ("polo", 0.9), None, None]
        for tenth, look in enumerate(looks):
            seen = (Classification(*look), Classification("hat", 0.01)) if look else ()
            boxes = Detection("shirt", 0.9, (0, 0, 9, 9), seen), Detection("shoes", 0.8, (50, 50, 60, 60), ())
            scanner.see(_frame("camera:0", tenth / 10), _result(*boxes))
        settled = [event for event in heard if isinstance(event, ScanEvent) and event.kind is ScanKind.SETTLED]
        assert [(each.label, each.refined_label) for each in settled] == [("shirt", "t-shirt"), ("shoes", None)]
        assert json.loads(json.dumps(settled[0].to_dict()))["refined_score"] == 0.8
        scanner.end()
        left = [event for event in heard if isinstance(event, ScanEvent) and event.kind is ScanKind.LEFT]
        assert [each.refined_label for each in left] == ["t-shirt", None]

    def test_a_still_frame_is_told_by_the_one_that_was_looked_at(self) -> None:
        """So that whoever kept that one knows it; what is gone is gone since now."""
        hub, heard = _hub()
        scanner = Scanner(hub)
        for tenth in range(8):
            scanner.see(_frame("camera:0", tenth / 10), _result(clock_s=0.0))
        scanner.end()
        assert [(event.kind, event.timestamp) for event in heard] == [
            (ScanKind.APPEARED, 1000.0),
            (ScanKind.SETTLED, 1000.0),
            (ScanKind.LEFT, 1000.7),
        ]

    def test_sources_have_tracks_of_their_own_with_one_numbering(self) -> None:
        hub, heard = _hub()
        scanner = Scanner(hub)
        for tenth in range(3):
            for source in ("camera:0", "camera:1"):
                scanner.see(_frame(source, tenth / 10), _result())
        assert [(event.source, event.track) for event in heard if isinstance(event, ScanEvent)] == [
            ("camera:0", 0),
            ("camera:1", 1),
        ]

    def test_a_lost_source_takes_its_garments_along(self) -> None:
        hub, heard = _hub()
        scanner = Scanner(hub)
        for source in ("camera:0", "camera:1"):
            for tenth in range(3):
                scanner.see(_frame(source, tenth / 10), _result())
        hub.health(HealthKind.SOURCE_LOST, "camera:0", "gone")
        assert [(event.kind, event.source) for event in heard[2:]] == [
            (HealthKind.SOURCE_LOST, "camera:0"),
            (ScanKind.LEFT, "camera:0"),
        ]
        scanner.end()
        assert (heard[-1].kind, heard[-1].source) == (ScanKind.LEFT, "camera:1")

    def test_every_garment_leaves_though_a_listener_fails(self) -> None:
        hub, heard = EventHub(), list[Event]()
        scanner = Scanner(hub)
        boxes = [Detection("hat", 0.9, (0, 0, 9, 9)), Detection("shoes", 0.8, (50, 50, 60, 60))]
        for source in ("a.mp4", "b.mp4"):
            for tenth in range(2):
                scanner.see(_frame(source, tenth / 10), _result(*boxes))
        hub.listen(_failing)
        hub.listen(heard.append)
        with pytest.raises(BrokenPipeError):
            scanner.end()
        left = [event for event in heard if isinstance(event, ScanEvent) and event.kind is ScanKind.LEFT]
        assert [(event.source, event.track) for event in left] == [
            ("a.mp4", 0),
            ("a.mp4", 1),
            ("b.mp4", 2),
            ("b.mp4", 3),
        ]

    def test_frames_that_show_nothing_let_garments_leave(self) -> None:
        hub, heard = _hub()
        scanner = Scanner(hub)
        for tenth in range(3):
            scanner.see(_frame("camera:0", tenth / 10), _result())
        for tenth in range(3, 14):
            scanner.see(_frame("camera:0", tenth / 10), None)
        assert [event.kind for event in heard] == [ScanKind.APPEARED, ScanKind.LEFT]
        assert isinstance(heard[-1], ScanEvent)
        assert heard[-1].model_sha256 == _SHA
