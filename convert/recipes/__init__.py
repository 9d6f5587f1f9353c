"""Named ways from a Keras model to a `.tflite` file: `float32`, `int8` and what lies between and beyond."""
