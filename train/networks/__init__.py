"""Networks that can be trained, and the weights that they begin with."""
