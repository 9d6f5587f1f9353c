"""How fast a model answers frames on this machine: the `edge-bench` command."""
