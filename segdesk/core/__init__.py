"""Data and pure functions: images, label maps, segments, prompts, history. No Qt, no torch."""
