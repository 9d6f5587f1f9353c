"""Events to other machines, through an outbox on disk that outlives this process."""
