"""How a model is run: an option that plugins with models share."""

from typing import Literal

Speed = Literal["exact", "compiled", "plain"]

HELP_SPEED = (
    "exact: with OpenVINO, on a processor where it is installed and gives the same labels;"
    " compiled: with torch.compile, which can take minutes first; plain: with PyTorch alone"
)
