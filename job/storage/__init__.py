"""Where objects are kept: one file for each backend."""
