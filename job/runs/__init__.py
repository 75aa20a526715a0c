"""What is in storage: the objects of a run."""
