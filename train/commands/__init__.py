"""What `edge-train` is asked: its commands and their options."""
