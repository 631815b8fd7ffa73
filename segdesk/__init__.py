"""SegDesk: segment images on your desk; all that the window does, from Python."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from segdesk.core.errors import Cancelled as Cancelled
    from segdesk.core.errors import SegdeskError as SegdeskError
    from segdesk.core.geometry import Window as Window
    from segdesk.core.image import ArrayImage as ArrayImage
    from segdesk.core.measure import measure as measure
    from segdesk.core.measurements import Measurements as Measurements
    from segdesk.core.prompts import Box as Box
    from segdesk.core.prompts import Example as Example
    from segdesk.core.prompts import Mask as Mask
    from segdesk.core.prompts import Points as Points
    from segdesk.core.prompts import Scribble as Scribble
    from segdesk.core.prompts import Text as Text
    from segdesk.core.segmentation import Category as Category
    from segdesk.core.segmentation import Segment as Segment
    from segdesk.core.segmentation import Segmentation as Segmentation
    from segdesk.engine.diagnosis import diagnose as diagnose
    from segdesk.engine.example_files import read_example as read_example
    from segdesk.engine.export import export as export
    from segdesk.engine.export import losses as losses
    from segdesk.engine.images import open_image as open_image
    from segdesk.engine.job import SegmentJob as SegmentJob
    from segdesk.engine.job_files import read_job as read_job
    from segdesk.engine.mask_edits import edit_segmentation as edit_segmentation
    from segdesk.engine.mask_files import read_segmentation as read_segmentation
    from segdesk.engine.options import parse_options as parse_options
    from segdesk.engine.project.opening import open_project as open_project
    from segdesk.engine.project.project import Project as Project
    from segdesk.engine.prompt_files import read_prompts as read_prompts
    from segdesk.engine.registry import registry as registry
    from segdesk.engine.segment import segment as segment
    from segdesk.engine.sessions import Sessions as Sessions
    from segdesk.engine.tiling.plan import Tiling as Tiling

__version__ = "0.1.0"

_HOME = {
    "core.errors": ("Cancelled", "SegdeskError"),
    "core.geometry": ("Window",),
    "core.image": ("ArrayImage",),
    "core.measure": ("measure",),
    "core.measurements": ("Measurements",),
    "core.prompts": ("Box", "Example", "Mask", "Points", "Scribble", "Text"),
    "core.segmentation": ("Category", "Segment", "Segmentation"),
    "engine.diagnosis": ("diagnose",),
    "engine.example_files": ("read_example",),
    "engine.export": ("export", "losses"),
    "engine.images": ("open_image",),
    "engine.job_files": ("read_job",),
    "engine.mask_edits": ("edit_segmentation",),
    "engine.mask_files": ("read_segmentation",),
    "engine.options": ("parse_options",),
    "engine.project.opening": ("open_project",),
    "engine.project.project": ("Project",),
    "engine.prompt_files": ("read_prompts",),
    "engine.registry": ("registry",),
    "engine.job": ("SegmentJob",),
    "engine.segment": ("segment",),
    "engine.sessions": ("Sessions",),
    "engine.tiling.plan": ("Tiling",),
}
_MODULE_OF = {name: f"segdesk.{module}" for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: the window must not wait for all of them."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'segdesk' has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted([*_MODULE_OF, "__version__"])
