"""What the networks learn: one file for each problem."""
