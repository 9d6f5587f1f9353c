"""Photos in, a Keras model out: the training stage of edge-garment."""
