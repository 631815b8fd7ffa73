"""The tools of the canvas, in the order of the toolbar."""

from segdesk.gui.tools.base import ToolSpec
from segdesk.gui.tools.brush import Brush, Eraser
from segdesk.gui.tools.fill import Fill
from segdesk.gui.tools.knife import Knife
from segdesk.gui.tools.pan import Pan
from segdesk.gui.tools.polygon import Lasso, Polygon
from segdesk.gui.tools.prompting import BoxTool, PointsTool, ScribbleTool
from segdesk.gui.tools.select import Select
from segdesk.gui.tools.threshold_brush import ThresholdBrush
from segdesk.gui.tools.wand import Wand

_GROW = "The selected segment grows; Ctrl starts a new one."

TOOLS: tuple[ToolSpec, ...] = (
    ToolSpec(
        "pan",
        "Pan",
        "hand",
        "H",
        "Drag to move the image. With any tool: hold Space, or drag with the middle button.",
        Pan,
    ),
    ToolSpec(
        "select",
        "Select",
        "cursor",
        "V",
        "Click a segment; Shift adds it to the selection or takes it out. Delete removes it.",
        Select,
    ),
    ToolSpec(
        "brush",
        "Brush",
        "paint-brush",
        "B",
        "Paint the chosen category. The selected segment, or the one where the stroke starts, "
        "grows; Ctrl starts a new one. Shift draws straight on. Size: [ ] or Shift+wheel.",
        Brush,
    ),
    ToolSpec(
        "eraser",
        "Eraser",
        "eraser",
        "E",
        "Erase on the active layer; Ctrl erases only what is selected. Size: [ ] or Shift+wheel.",
        Eraser,
    ),
    ToolSpec(
        "fill",
        "Fill",
        "paint-bucket",
        "G",
        f"Click to paint a segment, or a gap, as far as it hangs together. {_GROW}",
        Fill,
    ),
    ToolSpec(
        "polygon",
        "Polygon",
        "polygon",
        "P",
        "Click corners; a double click or Enter closes, Backspace takes the last one back. "
        + _GROW,
        Polygon,
    ),
    ToolSpec("lasso", "Lasso", "circle-dashed", "L", f"Drag around a region. {_GROW}", Lasso),
    ToolSpec(
        "wand",
        "Magic wand",
        "magic-wand",
        "W",
        f"Click a colour and drag right for more, left for less; as fine as the zoom. {_GROW}",
        Wand,
    ),
    ToolSpec(
        "threshold_brush",
        "Threshold brush",
        "circle-half",
        "Y",
        "Paint where pixels lie in the range of the last Operations > Threshold, and nothing else "
        "is. Size: [ ] or Shift+wheel.",
        ThresholdBrush,
    ),
    ToolSpec(
        "knife",
        "Knife",
        "knife",
        "K",
        "Drag a line through segments to split them; Shift draws straight. Only what is selected "
        "is cut, if anything is.",
        Knife,
    ),
    ToolSpec(
        "box",
        "Box prompt",
        "bounding-box",
        "R",
        "Drag a box around what to segment; Shift draws a square.",
        BoxTool,
    ),
    ToolSpec(
        "points",
        "Point prompts",
        "crosshair",
        "T",
        "Click on what to segment; the right button, or Ctrl, says what is not part of it. "
        "Enter starts the next segment.",
        PointsTool,
    ),
    ToolSpec(
        "scribble",
        "Scribble prompt",
        "scribble-loop",
        "S",
        "Draw a few strokes on each category. Size: [ ] or Shift+wheel.",
        ScribbleTool,
    ),
)

__all__ = ["TOOLS", "ToolSpec"]
