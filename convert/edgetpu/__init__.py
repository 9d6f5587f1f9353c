"""Models for Coral's Edge TPU: what of a model it takes, and compiling it."""
