"""Passwords and keys: from the environment or from files, never from the command line."""

import os
from pathlib import Path

import click


def read_secret(variable: str, file: Path | None, option: str) -> str | None:
    """Return a secret without the white space around it, or None when the user has given none.

    Args:
        variable: Environment variable that may hold it.
        file: File that may hold it, and comes first.
        option: Names the file in messages.

    Raises:
        click.UsageError: The file cannot be read, or there is nothing in it.
    """
    if file is None:
        return os.environ.get(variable, "").strip() or None
    try:
        secret = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise click.UsageError(f"{option} {file} cannot be read ({reason}); check its path and permissions.") from error
    if not secret:
        raise click.UsageError(f"{option} {file} is empty; write the secret into it.")
    return secret


def require_secret(variable: str, file: Path | None, option: str, purpose: str) -> str:
    """Return a secret as `read_secret` does; without one there is a usage error that says how to make one."""
    secret = read_secret(variable, file, option)
    if secret is None:
        advice = f"set {variable}, or write one to a file (openssl rand -hex 32 > FILE) and give {option} FILE"
        raise click.UsageError(f"{purpose} needs a secret: {advice}.")
    return secret
