"""What Prometheus reads."""

import pytest

from edge_runtime.events import HealthKind


@pytest.mark.parametrize(("name", "over"), [("lost", HealthKind.SOURCE_BACK), ("dark", HealthKind.SOURCE_LIGHT)])
def test_metrics_say_which_sources_show_nothing(name: str, over: HealthKind, site) -> None:  # noqa: ANN001
    def numbers() -> list[str]:
        lines = site.ask("/metrics")[1].decode().splitlines()
        return [line for line in lines if line.startswith(f"edge_garment_source_{name}{{")]

    site.show("camera:0")
    site.lose(0, "camera:1", HealthKind(f"source_{name}"))
    zero, one = (f'edge_garment_source_{name}{{source="camera:{number}"}}' for number in (0, 1))
    assert numbers() == [f"{zero} 0.0", f"{one} 1.0"]
    site.lose(1, "camera:1", over)
    assert numbers() == [f"{zero} 0.0", f"{one} 0.0"]


def test_metrics_are_in_the_format_of_prometheus(site) -> None:  # noqa: ANN001
    for _ in range(3):
        site.show('camera "0"')
    site.scan(0, "hat")
    answer, body = site.ask("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = body.decode().splitlines()
    assert 'edge_garment_frames_total{source="camera \\"0\\""} 3.0' in lines
    assert 'edge_garment_frames_empty_total{source="camera \\"0\\""} 0.0' in lines
    assert 'edge_garment_answers_total{label="hat"} 3.0' in lines
    assert f'edge_garment_model{{sha256="{"ab" * 32}"}} 1.0' in lines
    assert 'edge_garment_events_total{kind="settled",type="scan"} 1.0' in lines
    assert 'edge_garment_stage_seconds_bucket{le="0.005",stage="inference"} 3.0' in lines
    assert "edge_garment_frames_dropped_total 7.0" in lines
    assert any(line.startswith("process_resident_memory_bytes ") for line in lines)
