"""What model plugins share: devices, loading, post-processing. The only place besides them that knows torch."""
