"""The `edge-bench` command."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_runtime.addresses import is_address
from edge_runtime.cli_errors import ErrorCommand
from edge_runtime.completion import complete_file, complete_model
from edge_runtime.ending import run_process
from edge_runtime.quiet import quiet_opencv

if TYPE_CHECKING:
    from edge_runtime.benchmark.job import Job
    from edge_runtime.benchmark.report import Report


@click.command("edge-bench", cls=ErrorCommand, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("model", metavar="MODEL", shell_complete=complete_model)
@click.argument("sources", nargs=-1, metavar="[INPUT]...", shell_complete=complete_file)
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    multiple=True,
    metavar="N",
    help="CPU threads for the model; may be repeated.  [default: 1, and all CPUs but at most 4]",
)
@click.option(
    "--live",
    is_flag=True,
    help="Answer each frame by all threads, as edge-run does with cameras, for the soonest answer.",
)
@click.option("--delegate", type=click.Choice(["cpu", "edgetpu"]), default="cpu", show_default=True)
@click.option("--frames", type=click.IntRange(1), default=300, show_default=True, help="Frames to time in each round.")
@click.option("--warm-up", type=click.IntRange(1), default=30, show_default=True, help="Frames to answer before those.")
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=5,
    show_default=True,
    help="Fresh processes for each number of threads, taken in turns.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, for --compare and for programs.")
@click.option(
    "--compare",
    "old",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="OLD.json",
    help="Print ratios to an earlier report too, and what else differs.",
)
@click.version_option(package_name="edge-garment")
def edge_bench(
    model: str,
    sources: tuple[str, ...],
    threads: tuple[int, ...],
    live: bool,
    delegate: str,
    frames: int,
    warm_up: int,
    rounds: int,
    as_json: bool,
    old: Path | None,
) -> None:
    """Measure how fast a model answers frames, stage by stage, with all that edge-run does around it.

    MODEL is a .tflite file or a bundled model: garment_classifier, garment_detector. INPUT is a picture, a folder of
    pictures or a video, taken over and over; without one, a video of drawn garments. As edge-run does with files,
    as many frames are answered at once as there are threads; on an Edge TPU one after another.
    """
    if any(map(is_address, sources)):
        raise click.UsageError("A stream sets the pace itself, so it cannot be measured with; record a video of it.")
    earlier = None if old is None else _read_report(old)
    quiet_opencv()
    from edge_runtime.backend import default_threads
    from edge_runtime.benchmark.job import Job

    sweep = sorted(set(threads or (1, default_threads())))
    with _chosen(sources) as (texts, described):
        jobs = [Job(model, texts, number, live, delegate, frames, warm_up) for number in sweep]
        report = _measure(jobs, rounds, described)
    click.echo(_shown(report, earlier, as_json))


def main() -> None:
    """Run `edge-bench` with the arguments of this process."""
    run_process(edge_bench, "edge-bench")


def _measure(jobs: "Sequence[Job]", rounds: int, described: str) -> "Report":
    from edge_runtime.benchmark.machine import describe_machine
    from edge_runtime.benchmark.report import summarize
    from edge_runtime.benchmark.rounds import run_rounds

    measured = []
    for index, each in enumerate(run_rounds(jobs, rounds)):
        measured.append(each)
        click.echo(f"Round {index + 1} of {rounds} is done.", err=True)
    return summarize(jobs, measured, described, describe_machine())


@contextmanager
def _chosen(sources: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Give what frames are taken from, and what the report says of it."""
    from edge_runtime.benchmark.drawn import describe_drawn, draw_video

    if sources:
        yield sources, ", ".join(Path(source).name for source in sources)
        return
    with tempfile.TemporaryDirectory() as folder:
        yield (str(draw_video(Path(folder) / "drawn.avi")),), describe_drawn()


def _read_report(path: Path) -> "Report":
    from edge_runtime.benchmark.report import Report

    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        values.pop("compared", None)
        return Report.from_dict(values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise click.BadParameter(f"{path} is no report of edge-bench --json.", param_hint="--compare") from error


def _shown(report: "Report", earlier: "Report | None", as_json: bool) -> str:
    from edge_runtime.benchmark.comparison import compare
    from edge_runtime.benchmark.table import format_comparison, format_report

    comparison = None if earlier is None else compare(earlier, report)
    if as_json:
        compared = {} if comparison is None else {"compared": asdict(comparison)}
        return json.dumps({**report.to_dict(), **compared}, indent=2)
    text = format_report(report)
    return text if comparison is None else f"{text}\n\n{format_comparison(comparison)}"


if __name__ == "__main__":
    main()
