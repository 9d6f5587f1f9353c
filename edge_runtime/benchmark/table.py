"""A benchmark's report as lines for people."""

from collections.abc import Iterator

from edge_runtime.benchmark.comparison import Comparison
from edge_runtime.benchmark.report import Report


def format_report(report: Report) -> str:
    """Return a report as text."""
    packages = ", ".join(f"{name} {version}" for name, version in report.machine["packages"].items())
    lines = [
        f"Model {report.model}, sha256 {report.model_sha256[:12]}, delegate {report.delegate}",
        f"Machine: {report.machine['processor']}, {report.machine['cpus']} CPUs; {packages}",
        f"Input: {report.input}",
        "One frame after another, as from a camera" if report.live else "As many frames at once as there are threads",
        f"{report.rounds} rounds of {report.frames} frames, each in a fresh process; milliseconds a frame",
        "",
        *_stage_lines(report),
        "",
        *_thread_lines(report),
    ]
    return "\n".join(lines)


def _stage_lines(report: Report) -> Iterator[str]:
    yield f"{'threads':>7}  {'stage':<12}{'p50':>9}{'p95':>9}{'p99':>9}"
    for figures in report.figures:
        for stage, times in figures.stages_ms.items():
            yield f"{figures.threads:>7}  {stage:<12}{times.p50:>9.3f}{times.p95:>9.3f}{times.p99:>9.3f}"


def _thread_lines(report: Report) -> Iterator[str]:
    yield "threads  frames/s  speed-up  CPU ms  overhead  cold start s  peak RSS MB"
    for each in report.figures:
        peak = "-" if each.peak_rss_mb is None else f"{each.peak_rss_mb:.1f}"
        yield (
            f"{each.threads:>7}{each.frames_per_s:>10.1f}{each.speed_up:>9.2f}x{each.cpu_ms:>8.2f}"
            f"{each.overhead:>10.1%}{each.cold_start_s:>14.3f}{peak:>13}"
        )


def format_comparison(comparison: Comparison) -> str:
    """Return a comparison as text."""
    header = f"{'threads':>7}  {'figure':<20}{'before':>10}{'now':>10}{'ratio':>9}"
    rows = (
        f"{each.threads:>7}  {each.figure:<20}{each.old:>10.3f}{each.new:>10.3f}{each.ratio:>8.2f}x"
        for each in comparison.ratios
    )
    return "\n".join([*comparison.differences, header, *rows])
