"""Our pipeline beside MediaPipe Tasks, the loop of the samples, and the bare interpreter: same model, video, CPUs.

    python -m venv .venv-base && .venv-base/bin/pip install .
    python -m venv .venv-mediapipe && .venv-mediapipe/bin/pip install mediapipe==1.2.2
    python bench/peers.py --base .venv-base/bin/python --mediapipe .venv-mediapipe/bin/python -o docs/peers

Each contestant gets a fresh process in each round, and every other round goes the other way round, so that other work
on the machine meets all alike. A ratio is the median of the ratios within the rounds.
"""

import json
import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from edge_runtime.benchmark.drawn import USUAL_SIZE, describe_drawn, draw_video
from edge_runtime.benchmark.job import Job
from edge_runtime.benchmark.machine import describe_machine
from edge_runtime.bundled import BUNDLED, CLASSIFIER, find_model
from edge_runtime.files import replacing, write_text

_ROOT = Path(__file__).parents[1]
_CONTESTANTS = Path(__file__).with_name("contestants")
_OURS, _MEDIAPIPE, _PLAIN, _BARE = "edge-run", "MediaPipe Tasks", "plain loop", "bare invoke"
_SCRIPTS = {_MEDIAPIPE: "mediapipe_tasks.py", _PLAIN: "plain_loop.py", _BARE: "bare_invoke.py"}
_NAMES = (_OURS, *_SCRIPTS)
# Whoever installs a package has these already, or gets rid of them.
_TOOLS = ("pip", "setuptools")
_SIZE = """
import importlib.metadata as m, sys
files = {f.locate() for d in m.distributions() if d.name not in sys.argv[1:] for f in d.files or ()}
print(sum(f.stat().st_size for f in files if f.is_file()))
"""


@dataclass(frozen=True, slots=True)
class Course:
    """What all run over.

    Attributes:
        model: A classifier's file.
        video: Read over and over.
        frames: Timed in each round.
        warm_up: Answered before those.
    """

    model: Path
    video: Path
    frames: int
    warm_up: int


@dataclass(frozen=True, slots=True)
class Pythons:
    """Where the contestants run: a base install of edge-garment, and one of mediapipe."""

    base: Path
    mediapipe: Path


@dataclass(frozen=True, slots=True)
class Lap:
    """What one process measured.

    Attributes:
        fps: Frames a second.
        cpu_ms: Processor milliseconds of all threads for a frame.
        cold_start_s: Seconds from its start to its first result.
        peak_rss_mb: Most memory in RAM, in units of 10^6 bytes.
    """

    fps: float
    cpu_ms: float
    cold_start_s: float
    peak_rss_mb: float


def _command(name: str, course: Course, pythons: Pythons, cpus: int) -> list[str]:
    if name == _OURS:
        model, videos = str(course.model), (str(course.video),)
        job = Job(model, videos, cpus, live=False, delegate="cpu", frames=course.frames, warm_up=course.warm_up)
        return [str(pythons.base), "-m", "edge_runtime.benchmark.measuring", job.to_json()]
    python = pythons.mediapipe if name == _MEDIAPIPE else pythons.base
    values = (course.model, course.video, cpus, course.frames, course.warm_up)
    return [str(python), str(_CONTESTANTS / _SCRIPTS[name]), *map(str, values)]


def _run(command: list[str], cpus: set[int]) -> Lap:
    # The base install is measured, not this checkout.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    limited = ["taskset", "--cpu-list", ",".join(map(str, sorted(cpus))), *command, str(time.monotonic())]
    done = subprocess.run(limited, capture_output=True, text=True, check=False, env=environment, cwd=_CONTESTANTS)
    if done.returncode:
        raise click.ClickException(f"{command[1]} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    values = json.loads(done.stdout.splitlines()[-1])
    frames = values["frames"] if "frames" in values else len(values["times_ms"]["loop"])
    return Lap(
        fps=frames / values["wall_s"],
        cpu_ms=1e3 * values["cpu_s"] / frames,
        cold_start_s=values["first_result_s"],
        peak_rss_mb=values["peak_rss_mb"],
    )


def _race(course: Course, pythons: Pythons, cpus: int, rounds: int) -> dict[str, list[Lap]]:
    chosen = set(sorted(os.sched_getaffinity(0))[:cpus])
    laps: dict[str, list[Lap]] = {name: [] for name in _NAMES}
    # The first round fills the disk cache.
    for index in tqdm(range(rounds + 1), f"CPUs: {cpus}", disable=None):
        for name in _NAMES if index % 2 else reversed(_NAMES):
            lap = _run(_command(name, course, pythons, cpus), chosen)
            if index:
                laps[name].append(lap)
    return laps


def _summary(laps: dict[str, list[Lap]]) -> dict[str, Any]:
    """Return each contestant's medians, and ours by its as medians of the rounds' ratios."""
    fields = Lap.__dataclass_fields__
    return {
        name: {
            "median": {field: statistics.median(getattr(lap, field) for lap in own) for field in fields},
            "ours_by_it": {
                field: statistics.median(getattr(a, field) / getattr(b, field) for a, b in zip(laps[_OURS], own))  # noqa: B905
                for field in fields
            },
        }
        for name, own in laps.items()
    }


def _installed_mb(python: Path) -> float:
    done = subprocess.run([str(python), "-c", _SIZE, *_TOOLS], capture_output=True, text=True, check=True)
    return int(done.stdout) / 1e6


def _print(cpus: int, summary: dict[str, Any]) -> None:
    click.echo(
        f"\nCPUs: {cpus}" + " " * 18 + "frames/s   CPU ms  cold s  RSS MB   ours by it: frames/s  cpu  cold   RSS"
    )
    for name, values in summary.items():
        own, ratio = values["median"], values["ours_by_it"]
        click.echo(
            f"{name:<24}{own['fps']:>10.1f}{own['cpu_ms']:>9.2f}{own['cold_start_s']:>8.2f}{own['peak_rss_mb']:>8.1f}"
            f"{ratio['fps']:>22.2f}x{ratio['cpu_ms']:>5.2f}{ratio['cold_start_s']:>6.2f}{ratio['peak_rss_mb']:>6.2f}"
        )


def _plot(path: Path, races: dict[str, dict[str, list[Lap]]]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    names = _NAMES[::-1]
    figure, panels = plt.subplots(1, len(races), figsize=(4 * len(races), 2.4), squeeze=False, layout="constrained")
    for panel, (cpus, laps) in zip(panels[0], races.items(), strict=True):
        rates = [[lap.fps for lap in laps[name]] for name in names]
        panel.boxplot(rates, tick_labels=names, orientation="horizontal")
        panel.set(title=f"CPUs: {cpus}", xlabel="frames a second", xlim=(0, None))
    with replacing(path) as aside:
        figure.savefig(aside, dpi=100)


@click.command()
@click.option("--base", type=click.Path(exists=True, path_type=Path), required=True, help="A Python with edge-garment.")
@click.option("--mediapipe", type=click.Path(exists=True, path_type=Path), required=True, help="One with mediapipe.")
@click.option("--model", default=CLASSIFIER, show_default=True, help="A classifier's file.")
@click.option("--video", type=click.Path(exists=True, path_type=Path), help="Instead of one that is drawn.")
@click.option("--size", type=(int, int), default=USUAL_SIZE, show_default=True, help="Of the drawn video, in pixels.")
@click.option("--cpus", type=click.IntRange(1), multiple=True, default=(1, 2), show_default=True)
@click.option("--frames", type=click.IntRange(1), default=300, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=10, show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Without suffix.")
def main(
    base: Path,
    mediapipe: Path,
    model: str,
    video: Path | None,
    size: tuple[int, int],
    cpus: tuple[int, ...],
    frames: int,
    rounds: int,
    output: Path,
) -> None:
    """Race all contestants; write OUTPUT.json and OUTPUT.png, and print the table."""
    pythons = Pythons(base.absolute(), mediapipe.absolute())
    with tempfile.TemporaryDirectory() as folder:
        chosen = draw_video(Path(folder) / "drawn.avi", size) if video is None else video.absolute()
        course = Course(find_model(model).absolute(), chosen, frames, warm_up=30)
        races = {str(number): _race(course, pythons, number, rounds) for number in cpus}
    summaries = {number: _summary(laps) for number, laps in races.items()}
    sizes = {"edge-garment": _installed_mb(pythons.base), "mediapipe": _installed_mb(pythons.mediapipe)}
    report = {
        "model": model if model in BUNDLED else Path(model).name,
        "video": describe_drawn(size) if video is None else video.name,
        "frames": frames,
        "rounds": rounds,
        "machine": describe_machine(),
        "installed_mb": sizes,
        "by_cpus": summaries,
        "laps": {
            cpus: {name: [asdict(lap) for lap in own] for name, own in laps.items()} for cpus, laps in races.items()
        },
    }
    write_text(output.with_suffix(".json"), json.dumps(report, indent=1) + "\n")
    for number, summary in summaries.items():
        _print(int(number), summary)
    _plot(output.with_suffix(".png"), races)
    click.echo(f"\nInstalled MB: {sizes}, ratio {sizes['edge-garment'] / sizes['mediapipe']:.2f}")


if __name__ == "__main__":
    main()
