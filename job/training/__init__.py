"""The networks and the training loop."""
