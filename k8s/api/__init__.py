"""The Kubernetes API: the only part of the program that knows the client library."""
