"""What talks to the Kubernetes API: a sweep's Job watched, shown, logged, fetched and judged."""
