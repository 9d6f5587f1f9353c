"""The files of docs/deploy are right, and the pages about faults and events say what the code does."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge_runtime.benchmark.drawn import draw_video
from edge_runtime.cli import edge_run
from edge_runtime.drawing import GARMENTS
from edge_runtime.errors import ConfigError
from edge_runtime.events import HealthEvent, HealthKind, ScanEvent, ScanKind

_DOCS = Path(__file__).parents[1] / "docs"
_TESTS = Path(__file__).parent
_UNIT = _DOCS / "deploy" / "edge-garment.service"
_PROGRAMS = re.compile(r"/opt/edge-garment/bin/edge-run|/usr/bin/rpicam-vid")


def _assignments(unit: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in unit.splitlines() if re.match(r"\w+=", line))


@pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze (Debian: systemd) is not installed"
)
@pytest.mark.parametrize("unit", sorted(_UNIT.parent.glob("*.service")), ids=lambda unit: unit.stem)
def test_systemd_accepts_the_unit(unit: Path, tmp_path: Path) -> None:
    # The command itself is not installed where the unit looks for it.
    copy = tmp_path / unit.name
    copy.write_text(_PROGRAMS.sub("/bin/true", unit.read_text()))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_units_watchdog_is_slower_than_ours() -> None:
    unit = _assignments(_UNIT.read_text())
    (ours,) = (option.default for option in edge_run.params if option.name == "watchdog")
    assert unit["Type"] == "notify"
    assert float(unit["WatchdogSec"]) > 1.5 * ours
    assert unit["RestartPreventExitStatus"].split() == ["2", str(ConfigError.exit_code)]


def test_the_example_settings_are_well() -> None:
    result = CliRunner().invoke(edge_run, ["--config", str(_DOCS / "deploy" / "kiosk.toml"), "--check-config"])
    assert result.exit_code == 0, result.output


def test_every_event_of_the_run_is_in_the_table_of_faults() -> None:
    table = (_DOCS / "faults.md").read_text()
    assert set(re.findall(r"`(\w+_\w+)`", table)) >= {kind.value for kind in HealthKind}


def test_the_tests_that_the_table_names_exist() -> None:
    named = re.findall(r"([\w/]+\.py)::(\w+)", (_DOCS / "faults.md").read_text())
    assert len(named) >= 12
    for file, name in named:
        assert f"def {name}(" in (_TESTS / "edge_runtime" / file).read_text(), f"{file}::{name}"


def test_the_events_page_shows_events_as_they_are() -> None:
    shown = [
        json.loads(text) for text in re.findall(r"```json\n(.+?)```", (_DOCS / "events.md").read_text(), re.DOTALL)
    ]
    scan = ScanEvent("", "", 0, 0.0, ScanKind.SETTLED, "", 0, "", 0.0, None, 0.0, "").to_dict()
    health = HealthEvent("", "", 0, 0.0, HealthKind.SOURCE_LOST, "", "").to_dict()
    assert [list(event) for event in shown] == [list(scan), list(health)]


def test_the_kiosk_page_has_a_sink_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, code = re.findall(r"```python\n(.+?)```", (_DOCS / "kiosk.md").read_text(), re.DOTALL)
    draw_video(tmp_path / "clip.mp4")
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    settled = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert len(set(settled) & set(GARMENTS)) >= 5
