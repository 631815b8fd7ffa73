"""What model plugins share: devices, loading, post-processing. Knows torch."""

import os

# The Hub's client reads it when it is imported: nobody is told more than which file is asked for.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
