"""On how many threads frames are answered, and how many of them at once."""

from dataclasses import dataclass

from edge_runtime.backend import DelegateName, default_threads


@dataclass(frozen=True, slots=True)
class Plan:
    """How frames are answered.

    Attributes:
        threads: CPU threads for each frame.
        at_once: How many frames are answered at once; None answers one after another.
    """

    threads: int
    at_once: int | None


def plan_answers(*, live: bool, delegate: str, threads: int | None) -> Plan:
    """Return how to answer frames: live ones as soon as may be, those of files as many a second as may be.

    Args:
        live: The frames come from cameras or streams.
        delegate: Where the model runs, as `--delegate` says it.
        threads: CPU threads in all; None takes what the process may use, at most four.
    """
    threads = threads or default_threads()
    # There is one Edge TPU, and frames would wait for each other there.
    one_by_one = live or delegate != DelegateName.CPU
    return Plan(threads, None) if one_by_one else Plan(1, threads)
