"""What model plugins share: devices, loading, post-processing. Knows torch."""
