"""What lies in storage: the objects of a run."""
