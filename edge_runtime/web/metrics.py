"""Numbers for Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

import collections
from collections.abc import Iterator
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edge_runtime.delivery.sink import OutboxSink
from edge_runtime.events import Event, HealthEvent, HealthKind
from edge_runtime.results import FrameResult
from edge_runtime.sources import FrameSource

_PREFIX: Final = "edge_garment"
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_STAGES: Final = ("preprocess", "inference", "postprocess")


class Metrics:
    """Counts answers and events, and reads the rest where it is kept."""

    def __init__(self, source: FrameSource, outbox: OutboxSink | None) -> None:
        """Start at zero.

        Args:
            source: Says how many frames were dropped, and whether its names make sense as labels.
            outbox: Says how many events wait; None when none are delivered.
        """
        # When a counter was made is of no use beside `process_start_time_seconds`.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._live = source.live
        self._registry = CollectorRegistry()
        self._frames = self._counter("frames", "Frames answered.", "source")
        self._events = self._counter("events", "Events made.", "type", "kind")
        self._empty = self._counter(
            "frames_empty", "Frames answered in which no score reached the threshold.", "source"
        )
        self._answers = self._counter(
            "answers", "Answers: the best label of each frame, or a detector's boxes.", "label"
        )
        self._answering: str | None = None
        self._model = Gauge(f"{_PREFIX}_model", "1 for the model that answers.", ["sha256"], registry=self._registry)
        self._latest = self._gauge("last_frame_timestamp_seconds", "Unix time of the latest frame answered.")
        self._lost = self._gauge("source_lost", "1 while a camera or stream gives no frames, else 0.")
        self._dark = self._gauge("source_dark", "1 while a camera or stream gives black frames, else 0.")
        self._stages = Histogram(
            f"{_PREFIX}_stage_seconds",
            "Time spent on one frame.",
            ["stage"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._registry.register(_Kept(source, outbox))
        ProcessCollector(registry=self._registry)

    def count_frame(self, result: FrameResult) -> None:
        """Count an answer; files go by one name, since there may be any number of them."""
        source = result.source if self._live else "files"
        self._frames.labels(source).inc()
        self._count_answers(source, result)
        self._latest.labels(source).set(result.timestamp)
        if self._live:
            # Whoever watches for a 1 is to find a 0 before.
            self._lost.labels(source)
            self._dark.labels(source)
        for stage in _STAGES:
            self._stages.labels(stage).observe(getattr(result.times, stage) / 1e3)

    def _count_answers(self, source: str, result: FrameResult) -> None:
        # Of a classifier, what follows its best label is no garment of its own.
        told = result.answers[:1] if result.detections is None else result.answers
        self._empty.labels(source).inc(not told)
        for label, count in collections.Counter(answer.label for answer in told).items():
            self._answers.labels(label).inc(count)
        if result.model_sha256 != self._answering:
            self._answering = result.model_sha256
            # The one before is another sample, which would stay.
            self._model.clear()
            self._model.labels(result.model_sha256).set(1)

    def count_event(self, event: Event) -> None:
        """Count an event."""
        self._events.labels(str(event.to_dict()["type"]), event.kind.value).inc()
        if self._live and isinstance(event, HealthEvent):
            self._note_health(event)

    def _note_health(self, event: HealthEvent) -> None:
        match event.kind:
            case HealthKind.SOURCE_LOST | HealthKind.SOURCE_BACK:
                self._lost.labels(event.source).set(event.kind is HealthKind.SOURCE_LOST)
            case HealthKind.SOURCE_DARK | HealthKind.SOURCE_LIGHT:
                self._dark.labels(event.source).set(event.kind is HealthKind.SOURCE_DARK)

    def text(self) -> bytes:
        """Return all numbers in the text format 0.0.4."""
        return generate_latest(self._registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"{_PREFIX}_{name}", text, ["source"], registry=self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"{_PREFIX}_{name}", text, labels, registry=self._registry)


class _Kept(Collector):
    """What others count: dropped frames, and what becomes of events on their way."""

    def __init__(self, source: FrameSource, outbox: OutboxSink | None) -> None:
        self._source = source
        self._outbox = outbox

    def collect(self) -> Iterator[Metric]:
        dropped = f"{_PREFIX}_frames_dropped"
        yield CounterMetricFamily(dropped, "Frames that came faster than they were answered.", self._source.dropped)
        if self._outbox is not None:
            yield from self._deliveries(self._outbox)

    def _deliveries(self, outbox: OutboxSink) -> Iterator[Metric]:
        waiting, dropped = outbox.outbox.waiting(), outbox.outbox.dropped()
        wait = GaugeMetricFamily(f"{_PREFIX}_outbox_waiting", "Events that wait to be delivered.", labels=["target"])
        lost = _family("outbox_dropped", "Events dropped because too many waited.")
        done = _family("delivered", "Events acknowledged by their receiver.")
        failures = _family("delivery_failures", "Deliveries that failed.")
        for courier in outbox.couriers:
            wait.add_metric([courier.target], waiting.get(courier.target, 0))
            lost.add_metric([courier.target], dropped.get(courier.target, 0))
            done.add_metric([courier.target], courier.delivered)
            failures.add_metric([courier.target], courier.failures)
        yield from (wait, lost, done, failures)


def _family(name: str, text: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"{_PREFIX}_{name}", text, labels=["target"])
