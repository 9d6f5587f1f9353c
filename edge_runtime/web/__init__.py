"""A live page about the run, with metrics and a health check, served by the process itself."""
