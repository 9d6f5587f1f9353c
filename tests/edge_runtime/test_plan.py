import click
import pytest

from edge_runtime.backend import MOST_THREADS, default_threads
from edge_runtime.benchmark.cli import edge_bench
from edge_runtime.cli import edge_run
from edge_runtime.plan import Plan, plan_answers


@pytest.mark.parametrize(
    ("live", "delegate", "plan"),
    [
        (True, "cpu", Plan(3, None)),
        (False, "cpu", Plan(1, 3)),
        (True, "edgetpu", Plan(3, None)),
        (False, "edgetpu", Plan(3, None)),
        (False, "edgetpu-or-cpu", Plan(3, None)),
    ],
)
def test_only_frames_of_files_on_the_cpu_are_answered_several_at_once(live: bool, delegate: str, plan: Plan) -> None:
    assert plan_answers(live=live, delegate=delegate, threads=3) == plan


def test_unless_threads_are_given_all_useful_ones_are_taken() -> None:
    assert plan_answers(live=True, delegate="cpu", threads=None) == Plan(default_threads(), None)


@pytest.mark.parametrize("command", [edge_run, edge_bench])
def test_no_more_threads_can_be_asked_for_than_are_begun(command: click.Command) -> None:
    threads = next(option.type for option in command.params if option.name == "threads")
    assert (threads.min, threads.max) == (1, MOST_THREADS)
