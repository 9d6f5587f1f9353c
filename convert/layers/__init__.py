"""A trained network as plain layers in a row, to change its weights and to build it again in Keras 3 or tf-keras."""
