"""What the commands about a cluster do."""
