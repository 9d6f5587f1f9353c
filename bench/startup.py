"""How long `edge-run --help` and a first answer take, beside the bare Python interpreter, in turns in one run.

python bench/startup.py --rounds 20
"""

import statistics
import subprocess
import sys
import time

import click

_COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "edge-run --help": ["-m", "edge_runtime.cli", "--help"],
    "edge-run --demo --max-frames 1": ["-m", "edge_runtime.cli", "--demo", "--max-frames", "1", "--json"],
}


def _seconds(arguments: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - start


@click.command()
@click.option("--rounds", type=click.IntRange(2), default=20, show_default=True)
def main(rounds: int) -> None:
    """Print p50 and p95 in seconds, and the ratio of medians to the bare interpreter."""
    times: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    for index in range(rounds + 1):
        for name, arguments in _COMMANDS.items():
            seconds = _seconds(arguments)
            # The first round warms the disk cache.
            if index:
                times[name].append(seconds)
    bare = statistics.median(times["python -c pass"])
    for name, measured in times.items():
        p95 = statistics.quantiles(measured, n=20)[-1]
        p50 = statistics.median(measured)
        click.echo(f"{name:<32} p50 {p50:.3f} s  p95 {p95:.3f} s  {p50 / bare:.1f} x bare")


if __name__ == "__main__":
    main()
