"""Many trials on one machine."""
