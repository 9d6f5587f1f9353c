"""The engines that run a `.tflite` file on one device or another, and whether they answer alike."""
