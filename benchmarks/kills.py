"""Kills a program with SIGKILL at random moments while it paints, saves and exports.

Each run is a process of its own that edits a small project as fast as it can, and tells what it
does by a pipe. After the kill the project is opened: it has to pass its check, and to hold every
edit that was acknowledged, in a state that the document really had. Files under their final name
have to be whole.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, field
from hashlib import sha1
from pathlib import Path

import numpy as np

from segdesk.core.errors import SegdeskError
from segdesk.core.geometry import Window
from segdesk.core.image import ArrayImage
from segdesk.core.labelmap import LabelMap
from segdesk.core.segmentation import Category, Segment, Segmentation
from segdesk.engine import edits, proposals
from segdesk.engine.document import Document
from segdesk.engine.export import export
from segdesk.engine.layer import LayerState
from segdesk.engine.project.check import check
from segdesk.engine.project.opening import open_project
from segdesk.engine.project.project import Project

WIDTH, HEIGHT = 700, 600
LONGEST = 0.35  # seconds from the first edit to the kill
CATEGORIES = (Category(0, "background", (0, 0, 0), False), Category(1, "cell", (230, 159, 0)))
State = tuple[object, ...]


@dataclass
class Losses:
    """What a series of kills has done."""

    kills: int = 0
    edits: int = 0  # made before the kills
    acknowledged: int = 0
    unreadable: int = 0
    lost: int = 0  # acknowledged edits that were not there
    torn: int = 0  # files that were not whole under their final name
    reasons: list[str] = field(default_factory=list)


def main() -> int:
    """Kill, print a table, and as the last line a JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="200 runs")
    given = parser.parse_args()
    runs = 200 if given.quick else given.runs
    losses, start = Losses(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(runs):
            kill_once(Path(folder) / f"{number}", given.seed * 1_000_003 + number, losses)
    seconds = time.perf_counter() - start
    print(f"{losses.kills} kills in {seconds:.0f} s, {losses.edits} edits before them")
    print(f"{losses.acknowledged} acknowledged, {losses.lost} of them lost")
    print(f"{losses.unreadable} projects unreadable, {losses.torn} exported files torn")
    print(json.dumps(asdict(losses)))
    return int(bool(losses.unreadable or losses.lost or losses.torn))


def kill_once(folder: Path, seed: int, losses: Losses) -> None:
    """Run a session, kill it, and count what is lost."""
    folder.mkdir()
    os.environ["SEGDESK_HOME"] = str(folder / "home")
    told = _watch_until_killed(folder, seed)
    losses.kills += 1
    losses.edits += told.made
    losses.acknowledged += told.acknowledged
    states = _states_of(seed, told.made + 1)
    files = [path for path in (folder / told.latest, folder / told.saving) if path.is_file()]
    problems = [_verdict(path, states, told.acknowledged) for path in files]
    if told.acknowledged and not files:
        problems = [("unreadable", "there is no project")]
    if problems and all(problems):
        kind, why = problems[0] or ("", "")
        setattr(losses, kind, getattr(losses, kind) + 1)
        losses.reasons.append(f"seed {seed}: {why}")
    for why in _torn_exports(folder / "out", states):
        losses.torn += 1
        losses.reasons.append(f"seed {seed}: {why}")


# The session, in a child process.


def _session(folder: Path, seed: int, tell: Callable[[str], None]) -> None:
    """Edit, save and export until killed."""
    project = Project()
    project.kept.connect(lambda number: tell(f"kept {number}"))
    document = project.add(_image())
    acts, chances = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    (folder / "out").mkdir()
    name = "first.segdesk"
    project.save_as(folder / name)
    tell(f"saved {name}")
    for number in range(1, 10_000):
        act(document, acts)
        tell(f"made {number} {project.sequence}")
        if chances.random() < 0.03:
            name = f"{number}.segdesk"
            tell(f"saving {name}")
            project.save_as(folder / name)
            tell(f"saved {name}")
        if chances.random() < 0.05 and document.layers:
            content = document.layers[0].segmentation()
            export(content, document.image, ["png", "coco"], folder / "out", "cells")
        if chances.random() < 0.2:
            time.sleep(0.004)


def act(document: Document, rng: np.random.Generator) -> None:
    """Make one edit, undo or redo; the same ones again for the same generator."""
    kind = rng.choice(["paint", "paint", "paint", "propose", "judge", "undo", "redo", "delete"])
    layer = next((o for o in document.layers if not o.state.is_proposal), None)
    waiting = next((o for o in document.layers if o.state.is_proposal), None)
    x, y, side = (int(v) for v in (*rng.integers(0, 500, 2), rng.integers(5, 300)))
    if layer is None:
        edits.add_layer(document, LayerState("Cells", "instance", CATEGORIES))
    elif kind == "paint":
        with document.edit("Brush stroke") as edit:
            segment_id = edits.segment_to_paint(edit, layer, 1)
            mask = rng.random((side, side)) < 0.7
            edit.paint(layer, Window(x, y, side, side), segment_id, mask)
    elif kind == "propose":
        ids = np.zeros((HEIGHT, WIDTH), np.int32)
        part = ids[y : y + side, x : x + side]
        part[...] = rng.integers(1, 9, part.shape)
        segments = {int(i): Segment(int(i), 1, 0.5, "proposed") for i in np.unique(ids) if i}
        found = Segmentation("instance", (LabelMap.of_array(ids),), segments, CATEGORIES)
        proposals.add_proposal(document, found, "model", waiting.id if waiting else 0)
    elif kind == "judge" and waiting:
        proposals.accept(document, waiting.id)
    elif kind == "delete" and layer.segments:
        edits.delete_segments(document, layer.id, {min(layer.segments)})
    elif kind == "redo":
        document.redo()
    else:
        document.undo()


def _image() -> ArrayImage:
    return ArrayImage(np.zeros((HEIGHT, WIDTH), np.uint8), "made")


# The witness, in this process.


@dataclass
class Told:
    """What a session has told of itself."""

    made: int = 0
    latest: str = ""  # the project's file by the last save that has ended
    saving: str = ""  # and by one that has begun
    kept: int = 0
    sequences: dict[int, int] = field(default_factory=dict)  # by edit

    @property
    def acknowledged(self) -> int:
        """The last edit that was said to be safe."""
        return max((edit for edit, s in self.sequences.items() if s <= self.kept), default=0)


def _watch_until_killed(folder: Path, seed: int) -> Told:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            _session(folder, seed, lambda line: os.write(writing, f"{line}\n".encode()) and None)
        finally:  # the child must not go on as the parent
            os.write(writing, f"failed {sys.exc_info()[1]!r}\n".encode())
            os._exit(1)
    os.close(writing)
    said = b""
    while b"made" not in said and (more := os.read(reading, 65536)):
        said += more
    time.sleep(np.random.default_rng(seed + 2).uniform(0, LONGEST))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(reading, 65536):
        said += more
    os.close(reading)
    return _told(said.decode().split("\n")[:-1])  # the last line may be torn


def _told(lines: list[str]) -> Told:
    told = Told()
    for what, *values in (line.split(" ", 2) for line in lines):
        if what == "failed":
            raise RuntimeError(" ".join(values))
        if what == "kept":
            told.kept = int(values[0])
        elif what == "made":
            told.made = int(values[0])
            told.sequences[told.made] = int(values[1])
        elif what == "saving":
            told.saving = values[0]
        else:
            told.latest, told.saving = values[0], ""
    return told


def _states_of(seed: int, count: int) -> list[State]:
    """Return the state after each edit of a session, made again in memory."""
    document, acts = Document(_image()), np.random.default_rng(seed)
    states = [freeze(document)]
    for _ in range(count):
        act(document, acts)
        states.append(freeze(document))
    return states


def freeze(document: Document) -> State:
    """Return all that a project has to keep of a document."""
    layers = []
    for layer in document.layers:
        planes = tuple(sha1(plane.read(plane.window)).digest() for plane in layer.planes)
        table = frozenset((s.id, s.category, s.state, s.score) for s in layer.segments.values())
        layers.append((layer.id, layer.state, planes, table, frozenset(layer.areas.items())))
    history = document.history
    return tuple(layers), history.names, history.done


def _verdict(path: Path, states: list[State], acknowledged: int) -> tuple[str, str] | None:
    """Return what is wrong with a project, as (kind, why); None when all is well."""
    try:
        found = check(path)
        if found.findings:
            return "unreadable", f"{path.name}: {found.findings[0]}"
        with closing(open_project(path)) as project:
            document = project.document(project.images[0].id)
            state = freeze(document)
            _walk(document)
            if freeze(document) != state:
                return "unreadable", f"{path.name}: undo and redo did not come back"
    except (SegdeskError, IndexError) as error:
        return ("unreadable", f"{path.name}: {error}") if acknowledged else None
    if state not in states[acknowledged:]:
        known = "an older one" if state in states else "one that never was"
        return "lost", f"{path.name}: the state is {known}; {acknowledged} were acknowledged"
    return None


def _walk(document: Document) -> None:
    """Undo everything and make it again."""
    done = document.history.done
    while document.undo():
        pass
    for _ in range(done):
        document.redo()


def _torn_exports(folder: Path, states: list[State]) -> list[str]:
    """Return what is wrong with exported files."""
    from PIL import Image

    torn = []
    known = {json.dumps(sorted(_ids(state))) for state in states}
    for path in folder.glob("cells*"):
        try:
            if path.suffix == ".json":
                content = json.loads(path.read_text("utf-8"))
                if "annotations" in content:
                    ids = json.dumps(sorted(entry["id"] for entry in content["annotations"]))
                    if ids not in known:
                        torn.append(f"{path.name} holds segments that never were together")
            else:
                Image.open(path).load()
        except (OSError, ValueError) as error:
            torn.append(f"{path.name}: {error}")
    return torn


def _ids(state: State) -> list[int]:
    layers = state[0]
    return [segment for segment, *_ in layers[0][3]] if layers else []


if __name__ == "__main__":
    sys.exit(main())
