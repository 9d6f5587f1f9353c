from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_runtime.delivery import courier as courier_module
from edge_runtime.delivery.courier import Courier
from edge_runtime.delivery.outbox import Outbox
from edge_runtime.delivery.sink import OutboxSink
from edge_runtime.events import HealthEvent, HealthKind


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    opened = Outbox(tmp_path / "outbox.db", 5)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(courier_module, "_FIRST_WAIT_S", 0.02)


def test_what_waits_from_earlier_is_delivered_first(outbox: Outbox, flaky, until) -> None:  # noqa: ANN001
    outbox.put(["flaky", "other"], "old", "{}")
    courier = Courier(outbox, flaky, lambda *_: None)
    courier.start()
    outbox.put(["flaky"], "new", "{}")
    courier.wake()
    until(lambda: len(flaky.delivered) == 2)
    courier.end()
    courier.join(5)
    assert flaky.delivered == ["old", "new"]
    assert outbox.waiting() == {"other": 1}
    assert flaky.closed
    assert (courier.delivered, courier.failures) == (2, 0)


def test_a_receiver_that_is_away_is_tried_again_and_told_of_once(outbox: Outbox, flaky, until) -> None:  # noqa: ANN001
    notices: list[tuple[HealthKind, str]] = []
    courier = Courier(outbox, flaky, lambda *notice: notices.append(notice))
    flaky.away = True
    outbox.put(["flaky"], "e0", "{}")
    courier.start()
    until(lambda: flaky.attempts > 3)
    assert courier.failing
    assert outbox.waiting() == {"flaky": 1}
    flaky.away = False
    until(lambda: not courier.failing)
    courier.end()
    courier.join(5)
    assert flaky.delivered == ["e0"]
    assert [kind for kind, _ in notices] == [HealthKind.SINK_FAILED, HealthKind.SINK_BACK]
    assert notices[0][1] == "flaky: away; events are kept and sent later."


def test_an_error_that_nobody_thought_of_ends_no_courier(outbox: Outbox, flaky, until, monkeypatch) -> None:  # noqa: ANN001
    deliver = flaky.deliver
    monkeypatch.setattr(flaky, "deliver", lambda _: 1 / 0)
    courier = Courier(outbox, flaky, lambda *_: None)
    outbox.put(["flaky"], "e0", "{}")
    courier.start()
    until(lambda: courier.failures > 1)
    monkeypatch.setattr(flaky, "deliver", deliver)
    until(lambda: courier.delivered == 1)
    courier.end()
    courier.join(5)


def test_the_sink_returns_at_once_while_the_receiver_is_away(
    outbox: Outbox,
    flaky,  # noqa: ANN001
    event: Callable[[int], HealthEvent],
) -> None:
    flaky.away = True
    with OutboxSink(outbox, [flaky]) as sink:
        for number in range(8):
            sink.tell(event(number))
        assert outbox.waiting() == {"flaky": 5}
        dropped = [text for *_, text in sink.take_notices() if "LOST" in text]
    assert len(dropped) == 1
    assert "1 for flaky" in dropped[0]
    assert outbox.dropped() == {"flaky": 3}


def test_the_sink_delivers_what_waits_before_it_closes(
    outbox: Outbox,
    flaky,  # noqa: ANN001
    event: Callable[[int], HealthEvent],
) -> None:
    with OutboxSink(outbox, [flaky]) as sink:
        for number in range(5):
            sink.tell(event(number))
    assert flaky.delivered == [f"id-{number}" for number in range(5)]
