"""What is asked for: the sweep, its file and its grid."""
