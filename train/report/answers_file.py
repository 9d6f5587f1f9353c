"""What classifier files answer to each photo, on disk, so that anybody can look at what has changed."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from edge_runtime.files import write_text
from edge_runtime.tables import format_csv
from train.evaluation.predictions import Predictions

_COLUMNS: Final = (("answer", "score"), ("against_answer", "against_score"))


def write_answers(path: Path, predictions: Sequence[Predictions]) -> None:
    """Write a CSV file: `image`, `label`, then the best label and its score of one file or two.

    Args:
        path: The file to write.
        predictions: What each answers to the same photos in the same order.

    Raises:
        OutputError: The file cannot be written.
    """
    header = [name for _, names in zip(predictions, _COLUMNS, strict=False) for name in names]
    first = predictions[0]
    truth = ((image, first.labels[target]) for image, target in zip(first.images, first.targets, strict=True))
    answers = zip(*map(_list_best, predictions), strict=True)
    rows = ((*true, *(cell for best in each for cell in best)) for true, each in zip(truth, answers, strict=True))
    write_text(path, format_csv(["image", "label", *header], rows))


def _list_best(predictions: Predictions) -> Iterator[tuple[str, str]]:
    for answer, score in zip(predictions.answers, predictions.confidence, strict=True):
        yield predictions.labels[answer], f"{score:.6f}"
