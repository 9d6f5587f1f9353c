"""Does what runs on the device answer like what was trained? Measured, and written as a report."""
