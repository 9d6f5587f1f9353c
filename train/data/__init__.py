"""Photos, boxes and splits: what is learnt from."""
