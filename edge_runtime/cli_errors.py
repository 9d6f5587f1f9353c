"""What the commands do when something ends them: one sentence on stderr and an exit code, no traceback."""

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, Final

import click
from click.core import ParameterSource

from edge_runtime.errors import EdgeGarmentError
from edge_runtime.streams import escape_unshowable, tells_of_no_reader

_SIGNALLED = 128
# Windows has no SIGHUP; there Ctrl-Break and a window that is closed send SIGBREAK.
_ENDING: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)
# Longer than a sink takes to be closed.
_PATIENCE_S: Final = 20.0


class ErrorCommand(click.Command):
    """A command whose errors are reported as docs/exit-codes.md says."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        with _reported(), _variables_named(ctx):
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
    escape_unshowable()
    try:
        with _signals_unwind():
            yield
    except EdgeGarmentError as error:
        raise _told(error, error.exit_code) from error
    except OSError as error:
        if tells_of_no_reader(error) and _is_reader_gone():
            # It has what it wanted (`| head -1`): that is no failure, and Python's last flush must not say so.
            _discard_stdout()
            raise click.exceptions.Exit(0) from None
        raise _told(error, EdgeGarmentError.exit_code) from error
    except KeyboardInterrupt:
        raise click.exceptions.Exit(_SIGNALLED + signal.SIGINT) from None


@contextlib.contextmanager
def _variables_named(ctx: click.Context) -> Iterator[None]:
    """Have a wrong value that comes from an environment variable told of by the variable's name."""
    try:
        yield
    except click.BadParameter as error:
        option = error.param
        if option is not None and ctx.get_parameter_source(option.name or "") is ParameterSource.ENVIRONMENT:
            error.param_hint = option.envvar or f"{ctx.auto_envvar_prefix}_{option.name}".upper()
        raise


def say(text: str) -> None:
    """Show a line to the user, on stderr; that nobody reads it any more is no reason to end."""
    with contextlib.suppress(OSError, ValueError):
        click.echo(text, err=True)


def _told(error: Exception, exit_code: int) -> click.exceptions.Exit:
    say(f"Error: {error}")
    return click.exceptions.Exit(exit_code)


@contextlib.contextmanager
def _signals_unwind() -> Iterator[None]:
    """Turn a signal that ends the process into an exception, so that files being written are finished."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # One that is ignored stays so: nohup does that to SIGHUP, and a shell to SIGINT in the background.
    previous = {number: old for number in _ENDING if (old := signal.getsignal(number)) is not signal.SIG_IGN}
    unwind = _unwinding()
    for number in previous:
        signal.signal(number, unwind)
    try:
        yield
    finally:
        for number, old in previous.items():
            signal.signal(number, old)


def _unwinding() -> Callable[[int, FrameType | None], None]:
    """Return a handler that raises; again only after a while, since a second Ctrl-C would break into the finishing."""
    raised_s: float | None = None

    def unwind(number: int, _frame: FrameType | None) -> None:
        nonlocal raised_s
        if raised_s is not None and time.monotonic() - raised_s < _PATIENCE_S:
            return
        raised_s = time.monotonic()
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.exit(_SIGNALLED + number)

    return unwind


def _is_reader_gone() -> bool:
    """Tell whether stdout is a pipe that nobody reads; Windows cannot be asked, and there it is taken to be."""
    if not hasattr(select, "poll"):
        return True
    watched = select.poll()
    # A service may run without stdout, and under a test runner it may have no descriptor; then there is no pipe either.
    with contextlib.suppress(AttributeError, OSError, ValueError):
        watched.register(sys.stdout.fileno(), 0)
    return any(found & (select.POLLERR | select.POLLHUP) for _, found in watched.poll(0))


def _discard_stdout() -> None:
    with contextlib.suppress(OSError, ValueError):
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, sys.stdout.fileno())
        os.close(descriptor)
