"""What a classifier's answers are worth."""
