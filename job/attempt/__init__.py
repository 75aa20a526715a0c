"""One attempt at one trial, from its start to the commit of its result."""
