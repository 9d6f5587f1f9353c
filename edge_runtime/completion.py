"""What a shell offers for arguments that may be files, among other things: without this click offers nothing."""

from typing import TYPE_CHECKING

import click

from edge_runtime.bundled import BUNDLED

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def complete_file(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Leave it to the shell, which knows the files."""
    # Of use to nobody but a shell that asks.
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def complete_model(context: click.Context, parameter: click.Parameter, incomplete: str) -> "list[CompletionItem]":
    """Offer the bundled models, and files where none of them begins so."""
    from click.shell_completion import CompletionItem

    named = [CompletionItem(name) for name in BUNDLED if name.startswith(incomplete)]
    return [*complete_file(context, parameter, incomplete), *named]
