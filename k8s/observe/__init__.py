"""The state of Jobs and pods, and its causes."""
