"""A Keras model in, an int8 `.tflite` file and what it is worth out: the conversion stage of edge-garment."""
