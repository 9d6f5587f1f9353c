"""The options of edge-run, and the settings that flags, variables and a TOML file give them."""
