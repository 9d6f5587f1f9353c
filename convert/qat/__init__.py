"""Quantisation-aware training: letting the weights learn to be rounded, by TensorFlow's model optimisation toolkit."""
