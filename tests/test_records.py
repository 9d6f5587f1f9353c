"""The tables of the docs have the keys of every record that leaves the process, and no others."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime.delivery.courier import Transport
from edge_runtime.delivery.outbox import Letter, Outbox
from edge_runtime.delivery.sink import OutboxSink
from edge_runtime.events import HealthEvent, HealthKind, ScanEvent, ScanKind
from edge_runtime.results import Classification, Detection, FrameResult, StageTimes
from edge_runtime.sources import Frame, FrameSource
from edge_runtime.veil import show_all
from edge_runtime.web.app import WebApp
from edge_runtime.web.metrics import Metrics
from edge_runtime.web.painter import Painter
from edge_runtime.web.stage import Stage

_DOCS = Path(__file__).parents[1] / "docs"
_ANSWER = (Classification("hat", 0.9),)
_BOX = Detection("hat", 0.9, (0.0, 0.0, 1.0, 1.0), _ANSWER)
_TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": (list, tuple),
    "object": dict,
    "null": type(None),
}


def _rows(page: str, before: str) -> dict[str, str]:
    """Return the first table behind a line of a page: its first two columns."""
    _, found, behind = (_DOCS / page).read_text().partition(f"\n{before}\n")
    assert found, f"{page}: {before}"
    table = re.search(r"^\| (?:key|name) .+?(?=\n\n)", behind, re.MULTILINE | re.DOTALL)
    assert table
    cells = [[cell.strip() for cell in row.split("|")[1:3]] for row in table[0].splitlines()[2:]]
    return {key.strip("`"): second for key, second in cells}


def _check(page: str, before: str, *records: dict[str, Any]) -> None:
    """Compare a table with records: all keys in their order, absent where the page says so, of the types it names."""
    rows = _rows(page, before)
    assert list(rows) == max((list(record) for record in records), key=len)
    for record in records:
        assert set(record) <= set(rows)
        for key, value in record.items():
            types = tuple(_TYPES[name] for name in rows[key].split(" or "))
            assert any(isinstance(value, each) for each in types), f"{page}: {key} is {value!r}"


def _result(detections: tuple[Detection, ...] | None, classifier_sha256: str | None = None) -> FrameResult:
    times = StageTimes(0, 0, 0, 0)
    video_s = None if classifier_sha256 is None else 0.04
    return FrameResult(
        "camera:0", 0, 1.5, 4, 3, _ANSWER, detections, times, "ab" * 32, classifier_sha256, video_s=video_s
    )


class _Camera(FrameSource):
    live = True

    def __iter__(self) -> Iterator[Frame]:
        return iter(())


class _Nowhere(Transport):
    target = "nowhere"

    def deliver(self, letters: list[Letter]) -> Iterator[Letter]:
        yield from letters


@pytest.fixture
def outbox(tmp_path: Path) -> OutboxSink:
    return OutboxSink(Outbox(tmp_path / "outbox.db", 5), [_Nowhere()])


@pytest.fixture
def status(outbox: OutboxSink) -> dict[str, Any]:
    """One camera that gave a frame, and one that never did."""
    stage = Stage(live=True)
    stage.show(Frame(np.zeros((3, 4, 3), np.uint8), "camera:0", 0, 1.5, 0.0), _result(None))
    stage.hear(HealthEvent("id", "run", 0, 1.5, HealthKind.SOURCE_LOST, "camera:1", "Gone."))
    return WebApp(stage, Painter(stage, show_all), Metrics(_Camera(), outbox), outbox, None).status()


def test_scan_events() -> None:
    plain = ScanEvent("", "", 0, 0.0, ScanKind.SETTLED, "", 0, "", 0.0, None, 0.0, "")
    refined = ScanEvent("", "", 0, 0.0, ScanKind.SETTLED, "", 0, "", 0.0, _BOX.box, 0.0, "", "hat", 0.5, video_s=0.04)
    _check("events.md", "## Scan events", plain.to_dict(), refined.to_dict())
    assert list(plain.to_dict()) == list(refined.to_dict())


def test_health_events() -> None:
    event = HealthEvent("", "", 0, 0.0, HealthKind.SOURCE_LOST, "", "")
    _check("events.md", "## Health events", event.to_dict())


def test_results() -> None:
    classified, detected = _result(None).to_dict(), _result((_BOX,), "cd" * 32).to_dict()
    _check("sinks.md", "## Results", classified, detected)
    assert set(detected) - set(classified) == {"video_s", "detections", "classifier_sha256"}
    plain = Detection("hat", 0.9, _BOX.box)
    _check("sinks.md", "### Detections", _BOX.to_dict(), plain.to_dict())
    assert set(re.findall(r"`(\w+)`", _section("## Results"))) >= {
        *classified["times_ms"],
        *classified["classifications"][0],
    }


def test_health(status: dict[str, Any]) -> None:
    _check("sinks.md", "### /health", status)
    seen, lost = status["sources"]
    _check("sinks.md", "Each of `sources`:", seen, lost)
    _check("sinks.md", "Each of `deliveries`:", *status["deliveries"])
    assert list(seen) == list(lost)
    assert [key for key, value in lost.items() if value is None] == [
        key for key, types in _rows("sinks.md", "Each of `sources`:").items() if "null" in types
    ]


def test_metrics(outbox: OutboxSink) -> None:
    metrics = Metrics(_Camera(), outbox)
    metrics.count_frame(_result(None))
    metrics.count_event(HealthEvent("", "", 0, 0.0, HealthKind.SOURCE_LOST, "", ""))
    text = metrics.text().decode()
    rows = _rows("sinks.md", "### /metrics")
    assert set(re.findall(r"^# TYPE (edge_garment_\w+) ", text, re.MULTILINE)) == set(rows)
    for name, labels in rows.items():
        sample = re.search(rf"^{name}(?:_count)?(?:{{(.+)}})? ", text, re.MULTILINE)
        assert sample, name
        assert set(re.findall(r'(\w+)="', sample[1] or "")) == set(re.findall(r"\w+", labels)), name


def _section(heading: str) -> str:
    return (_DOCS / "sinks.md").read_text().partition(f"\n{heading}\n")[2].partition("\n## ")[0]
