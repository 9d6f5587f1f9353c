"""Train a detector: garments and where they are."""
