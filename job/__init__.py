"""A sweep of network architectures whose verdict is statistically sound."""
