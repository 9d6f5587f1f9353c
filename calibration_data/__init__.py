"""What int8 ranges are measured on, and how it was chosen."""
