"""What a `.tflite` file is made of, read without an interpreter and without trusting a byte of it."""
