"""Names of the files that a detector's run has beside those of every run."""

from typing import Final

VALIDATION_NAME: Final = "validation.json"
"""The true boxes of the validation photos, a COCO file."""
PREDICTIONS_NAME: Final = "predictions.json"
"""The boxes found on them, in COCO's format for results."""
BATCH_NAME: Final = "batch.jpg"
"""What a training batch looks like."""
