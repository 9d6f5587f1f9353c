"""`edge-train list`."""

import click

from train.networks.catalogue import read_catalogue


@click.command(name="list")
def list_architectures() -> None:
    """List the networks that can be trained, with what each costs.

    Times are those of the int8 model, in times of mobilenet_v2 on one thread, measured in one run.
    """
    click.echo(f"{'name':<32}{'input':>6}{'M param':>9}{'M MAC':>7}{'int8 MB':>9}{'time':>7}  as int8")
    for row in read_catalogue():
        click.echo(
            f"{row.name:<32}{row.size:>6}{row.parameters / 1e6:>9.2f}{row.macs / 1e6:>7.0f}{row.int8_bytes / 1e6:>9.2f}"
            f"{row.relative_ms:>7.2f}  {row.int8}"
        )
