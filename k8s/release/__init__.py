"""A Helm release: its sweep, its output and its volume."""
