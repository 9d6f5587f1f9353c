"""How many drawings that no training saw the bundled model recognises, per garment.

python bench/drawn_accuracy.py --per-garment 50
"""

import click

from edge_runtime import Recognizer
from edge_runtime.drawing import GARMENTS, draw_garment

# Training draws from seed 1,000,000 on, calibration without photos from 500,000 on.
_FIRST_SEED = 100_000


@click.command()
@click.option("--per-garment", type=click.IntRange(1), default=50, show_default=True)
def main(per_garment: int) -> None:
    """Print a line per garment, then the share over all."""
    recognizer = Recognizer.load()
    total = 0
    for garment in GARMENTS:
        seeds = range(_FIRST_SEED, _FIRST_SEED + per_garment)
        answers = [recognizer.classify(draw_garment(garment, seed), top_k=1, threshold=0.0) for seed in seeds]
        right = sum(answer[0].label == garment for answer in answers)
        total += right
        click.echo(f"{garment:<12}{right:>4} of {per_garment}")
    click.echo(f"{'all':<12}{total / (per_garment * len(GARMENTS)):.1%}")


if __name__ == "__main__":
    main()
