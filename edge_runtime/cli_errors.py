"""What the commands do when something ends them: one sentence on stderr and an exit code, no traceback."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any, NoReturn

import click

from edge_runtime.errors import EdgeGarmentError

_SIGNALLED = 128


class ErrorCommand(click.Command):
    """A command whose errors are reported as docs/exit-codes.md says."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        with _reported():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with _reported():
            return super().invoke(ctx)


class ErrorGroup(click.Group):
    """A group of commands whose errors are reported as docs/exit-codes.md says."""

    def invoke(self, ctx: click.Context) -> Any:
        with _reported():
            return super().invoke(ctx)


@contextlib.contextmanager
def _reported() -> Iterator[None]:
    try:
        with _termination_unwinds():
            yield
    except EdgeGarmentError as error:
        raise _told(error, error.exit_code) from error
    except BrokenPipeError:
        # The reader has what it wanted (`| head -1`): that is no failure, and Python's last flush must not say so.
        _discard_stdout()
        raise click.exceptions.Exit(0) from None
    except OSError as error:
        raise _told(error, EdgeGarmentError.exit_code) from error
    except KeyboardInterrupt:
        raise click.exceptions.Exit(_SIGNALLED + signal.SIGINT) from None


def _told(error: Exception, exit_code: int) -> click.exceptions.Exit:
    click.echo(f"Error: {error}", err=True)
    return click.exceptions.Exit(exit_code)


@contextlib.contextmanager
def _termination_unwinds() -> Iterator[None]:
    """Turn SIGTERM into an exception, so that files being written are finished."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _terminate(signum: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(_SIGNALLED + signum)


def _discard_stdout() -> None:
    # Under a test runner stdout may have no descriptor; then there is no pipe either.
    with contextlib.suppress(OSError, ValueError):
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, sys.stdout.fileno())
        os.close(descriptor)
