"""Running the processes of a benchmark, in turns."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Final

import click

from edge_runtime.benchmark.job import Job, Round

_MODULE: Final = "edge_runtime.benchmark.measuring"


def run_rounds(jobs: Sequence[Job], rounds: int) -> Iterator[tuple[Round, ...]]:
    """Yield, `rounds` times, what each job measured.

    Each job gets a fresh process each time. Every other round has the jobs in reverse order, so that a machine that
    grows slower or faster meanwhile favours none of them.

    Raises:
        click.exceptions.Exit: A process failed; its error is on stderr.
    """
    for index in range(rounds):
        order = jobs if index % 2 == 0 else jobs[::-1]
        measured = {job: _run(job) for job in order}
        yield tuple(measured[job] for job in jobs)


def _run(job: Job) -> Round:
    command = [sys.executable, "-m", _MODULE, job.to_json()]
    done = subprocess.run(
        [*command, str(time.monotonic())], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode:
        click.echo(done.stderr, err=True, nl=False)
        raise click.exceptions.Exit(done.returncode if done.returncode > 0 else 1)
    return Round(**json.loads(done.stdout))
