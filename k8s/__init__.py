"""Watches, shows, logs, fetches and judges a sweep's Job through the Kubernetes API."""
