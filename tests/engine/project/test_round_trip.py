"""Any sequence of edits, undo and redo, closed and opened anew anywhere: all comes back."""

import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from segdesk.core.image import ArrayImage
from segdesk.engine.project import store
from segdesk.engine.project.check import check
from segdesk.engine.project.opening import open_project
from segdesk.engine.project.project import Project
from tests.engine.frozen import freeze
from tests.engine.test_history import HEIGHT, WIDTH, DocumentMachine


class ProjectMachine(DocumentMachine):
    """The document of the history's test, in a project that is closed and opened at any moment."""

    @initialize(task=st.sampled_from(["semantic", "instance", "panoptic"]), budget=st.booleans())
    def start(self, task, budget):
        self.folder = tempfile.TemporaryDirectory()
        self.tile_patch = patch.object(store, "TILE", 4)
        self.tile_patch.start()
        self.small = budget
        super().start(task)

    def new_document(self):
        self.project = Project()
        document = self.project.add(ArrayImage(np.zeros((HEIGHT, WIDTH, 3), np.uint8)))
        document.history.budget = 2000 if self.small else document.history.budget
        return document

    @rule(times=st.integers(1, 2))
    def reopen(self, times):
        path = Path(self.folder.name) / "project.segdesk"
        for _ in range(times):
            self.project.save_as(path)
            self.project.close()
            self.project = open_project(path)
            self.document = self.project.document(1)
            if self.small:
                self.document.history.budget = 2000
        assert freeze(self.document) == self.states[self.document.history.done]

    @rule()
    def look_from_outside(self):
        self.project.flush()
        assert check(self.project.path).findings == ()

    def teardown(self):
        if hasattr(self, "project"):
            self.project.close(discard=True)
            self.tile_patch.stop()
            self.folder.cleanup()
        super().teardown()


TestProject = ProjectMachine.TestCase
TestProject.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
