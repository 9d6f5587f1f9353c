"""What every training has: its schedule, epochs, checkpoints and machines."""
