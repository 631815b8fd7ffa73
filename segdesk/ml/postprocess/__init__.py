"""From what a model says to masks and label maps: as transformers does it, in less time and room.

Queries are chosen first, on the model's device and at its own resolution; only what is left is
scaled up, each mask inside its own box. Nothing of the size (queries x height x width) is made.
"""
