"""Plugins as strangers write them: in the user's folder and as installed distributions."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from segdesk.core.errors import SegdeskError, UsageError
from segdesk.engine import registry as registry_module
from segdesk.engine.folders import (
    change_settings,
    config_folder,
    plugin_folder,
    read_settings,
)
from segdesk.engine.registry import find_plugins, forget_plugins, registry, set_plugin_enabled

HEAD = """\
from dataclasses import dataclass
from segdesk.api import *
"""
GOOD = f"""{HEAD}
@hookimpl
def segdesk_segmenters():
    return [SegmenterSpec("ID", "A title", "semantic", lambda *_: None)]
"""


def hook(body, name="segdesk_segmenters", head=HEAD):
    return f"{head}\n@hookimpl\ndef {name}():\n    {body}\n"


def spec(arguments):
    return hook(f"return [SegmenterSpec({arguments})]")


BROKEN = {
    "import_error": ("import no_such_module", "ModuleNotFoundError: No module named"),
    "syntax_error": ("def (:", "SyntaxError: invalid syntax (syntax_error.py, line 1)"),
    "system_exit": ("raise SystemExit(3)", "SystemExit: 3"),
    "silent_error": ("raise ValueError", "ValueError"),
    "long_error": ("raise ValueError('word\\n' * 9999)", "ValueError: word word"),
    "misspelt": (hook("return []", "segdesk_segmentors"), "unknown hook 'segdesk_segmentors'"),
    "no_hooks": ("x = 1", "implements none of the hooks segdesk_segmenters, "),
    "unmarked": ("def segdesk_segmenters(): return []", "none of the hooks"),
    "with_argument": (
        f"{HEAD}\n@hookimpl\ndef segdesk_readers(path): return []",
        "Argument(s) {'path'} are declared in the hookimpl but can not be found in the hookspec",
    ),
    "raises": (hook("return 1 / 0"), "ZeroDivisionError: division by zero"),
    "exits": (hook("raise SystemExit"), "SystemExit"),
    "forgets": (hook("pass"), "must return a list of SegmenterSpec, not None"),
    "no_list": (hook("return 'scribble'"), "must return a list of SegmenterSpec, not 'scribble'"),
    "no_specs": (hook("return [1]"), "must return a list of SegmenterSpec, not [1]"),
    "generator": (hook("yield 1"), "must return a list of SegmenterSpec, not <generator"),
    "wrong_kind": (
        hook("return [WriterSpec('a', 'A', len, len, len)]"),
        "must return a list of SegmenterSpec",
    ),
    "fields_missing": (spec("'a'"), "TypeError: SegmenterSpec.__init__() missing 3"),
    "empty_id": (spec("'', 'A', 'semantic', len"), "SegmenterSpec('') has a bad id"),
    "id_with_space": (spec("'a b', 'A', 'semantic', len"), "has a bad id"),
    "id_is_number": (spec("1, 'A', 'semantic', len"), "SegmenterSpec(1) has a bad id"),
    "no_title": (spec("'a', None, 'semantic', len"), "has a bad title"),
    "unknown_task": (spec("'a', 'A', 'magic', len"), "has a bad task"),
    "open_is_text": (spec("'a', 'A', 'semantic', 'open'"), "has a bad open"),
    "two_wrong": (spec("'a', '', 'semantic', None"), "has a bad title, open"),
    "prompt_instance": (
        spec("'a', 'A', 'prompted', len, prompts=frozenset({Box(0, 0, 1, 1)})"),
        "has a bad prompts",
    ),
    "prompt_list": (spec("'a', 'A', 'prompted', len, prompts=[Box]"), "has a bad prompts"),
    "bare_checkpoint": (
        spec("'a', 'A', 'semantic', len, checkpoints=('hub/id',)"),
        "has a bad checkpoints",
    ),
    "options_no_dataclass": (spec("'a', 'A', 'semantic', len, options=dict"), "has a bad options"),
    "options_not_frozen": (
        hook(
            "return [SegmenterSpec('a', 'A', 'semantic', len, options=Options)]",
            head=f"{HEAD}\n@dataclass\nclass Options:\n    level: int = 1\n",
        ),
        "has a bad options",
    ),
    "options_of_lists": (
        hook(
            "return [SegmenterSpec('a', 'A', 'semantic', len, options=Options)]",
            head=f"{HEAD}\n@dataclass(frozen=True)\nclass Options:\n    level: list = None\n",
        ),
        "Options.level must have a default and be a bool, int, float, str or Literal of strings",
    ),
    "bad_suffix": (
        hook("return [ReaderSpec('a', 'A', ('PNG',), len, len)]", "segdesk_readers"),
        "ReaderSpec('a') has a bad suffixes",
    ),
    "writer_unchecked": (
        hook("return [WriterSpec('a', 'A', len, None, len)]", "segdesk_writers"),
        "WriterSpec('a') has a bad check",
    ),
    "trainer_of_none": (
        hook("return [TrainerSpec('a', 'A', '', len)]", "segdesk_trainers"),
        "TrainerSpec('a') has a bad segmenter_id",
    ),
    "same_id_twice": (
        hook("return [SegmenterSpec('a', 'A', 'semantic', len) for _ in 'ab']"),
        "it offers the segmenter 'a' twice",
    ),
}


@pytest.fixture
def write_plugin():
    """Return a function that puts a plugin file into the user's folder."""

    def write(name, text):
        path = plugin_folder() / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    yield write
    for name in [name for name in sys.modules if name.startswith("segdesk_user_")]:
        del sys.modules[name]


def plugin(found, name):
    (one,) = [plugin for plugin in found.plugins if plugin.name == name]
    return one


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_named_with_its_reason_and_the_rest_goes_on(name, write_plugin):
    text, reason = BROKEN[name]
    path = write_plugin(f"{name}.py", text)
    write_plugin("z_good.py", GOOD)
    found = find_plugins()
    broken = plugin(found, name)
    assert broken.status == "broken"
    assert reason in broken.reason
    assert "\n" not in broken.reason and len(broken.reason) <= 400
    assert broken.source == str(path)
    assert plugin(found, "z_good").offers == ("segmenter ID",)
    assert "a" not in found.segmenters.keys() | found.writers.keys() | found.readers.keys()


def test_a_plugin_that_breaks_in_one_hook_offers_nothing_at_all(write_plugin):
    write_plugin("half.py", GOOD + hook("return 1", "segdesk_writers", head=""))
    found = find_plugins()
    assert plugin(found, "half").status == "broken"
    assert "ID" not in found.segmenters


def test_all_four_hooks_of_one_file_are_asked(write_plugin):
    write_plugin(
        "four.py",
        GOOD
        + hook("return [ReaderSpec('r', 'R', ('.x',), len, len)]", "segdesk_readers", head="")
        + hook("return [WriterSpec('w', 'W', len, len, len)]", "segdesk_writers", head="")
        + hook("return [TrainerSpec('t', 'T', 'ID', len)]", "segdesk_trainers", head=""),
    )
    found = find_plugins()
    offers = {"segmenter ID", "reader r", "writer w", "trainer t"}
    assert set(plugin(found, "four").offers) == offers
    assert (found.segmenter("ID").id, found.writer("w").id) == ("ID", "w")
    assert (found.readers["r"].id, found.trainers["t"].id) == ("r", "t")


def test_the_second_of_two_with_the_same_id_is_left_out(write_plugin):
    write_plugin("one.py", GOOD)
    write_plugin("two.py", GOOD)
    found = find_plugins()
    assert plugin(found, "one").status == "loaded"
    assert "another plugin already offers the segmenter 'ID'" in plugin(found, "two").reason


def test_a_folder_is_a_plugin_with_modules_of_its_own(write_plugin):
    write_plugin("pack/__init__.py", "from segdesk_user_pack.inner import segdesk_segmenters")
    write_plugin("pack/inner.py", GOOD)
    assert plugin(find_plugins(), "pack").status == "loaded"


def test_what_is_no_plugin_is_passed_over(write_plugin):
    for name in ("notes.txt", "_draft.py", ".hidden.py", "no_init/module.py", "__pycache__/x.py"):
        write_plugin(name, "raise RuntimeError")
    assert not [p for p in find_plugins().plugins if str(plugin_folder()) in p.source]


def test_what_a_plugin_prints_stays_out_of_stdout(write_plugin, capsys):
    write_plugin("loud.py", f"print('hello')\n{GOOD}")
    find_plugins()
    assert capsys.readouterr() == ("", "hello\n")


def test_an_unknown_id_is_refused_with_the_known_ones(write_plugin):
    write_plugin("one.py", GOOD)
    found = find_plugins()
    with pytest.raises(UsageError, match=r"There is no segmenter 'nix'. Known: .*ID"):
        found.segmenter("nix")
    with pytest.raises(UsageError, match="There is no format 'nix'"):
        found.writer("nix")


@pytest.fixture
def fresh_registry():
    forget_plugins()
    yield
    forget_plugins()


def test_a_plugin_with_the_name_of_another_is_left_out(write_plugin):
    write_plugin("pictures.py", GOOD)
    ours, theirs = (one for one in find_plugins().plugins if one.name == "pictures")
    assert ours.status == "loaded"
    assert (theirs.status, theirs.reason) == (
        "broken",
        "another plugin has the same name: rename this one",
    )


def test_an_unknown_id_may_be_that_of_a_plugin_which_is_off(write_plugin):
    change_settings(disabled_plugins=["semantic"])
    with pytest.raises(UsageError, match=r"no segmenter 'semantic'.*`segdesk plugins` shows"):
        find_plugins().segmenter("semantic")


def test_threads_that_ask_first_at_the_same_time_get_the_same_plugins(fresh_registry):
    stdout, start = sys.stdout, Barrier(4)

    def ask(_):
        start.wait()
        return registry()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(4)))
    assert all(one is found[0] for one in found)
    assert sys.stdout is stdout


def test_a_plugin_can_be_disabled_and_enabled(write_plugin, fresh_registry):
    write_plugin("one.py", GOOD)
    assert plugin(registry(), "one").status == "loaded"
    set_plugin_enabled("one", False)
    found = find_plugins()
    assert plugin(found, "one").status == "disabled"
    assert "ID" not in found.segmenters
    set_plugin_enabled("one", True)
    assert plugin(find_plugins(), "one").status == "loaded"


def test_disabling_runs_none_of_its_code(write_plugin, fresh_registry):
    write_plugin("one.py", "raise RuntimeError")
    registry()
    set_plugin_enabled("one", False)
    assert plugin(find_plugins(), "one").reason == ""


def test_disabling_a_stranger_is_refused(fresh_registry):
    with pytest.raises(UsageError, match="There is no plugin 'nix'; `segdesk plugins` lists them"):
        set_plugin_enabled("nix", False)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"disabled_plugins": null}', "\0", '"x"'])
def test_damaged_settings_count_as_none(text, write_plugin):
    config_folder().mkdir(parents=True)
    (config_folder() / "settings.json").write_text(text)
    write_plugin("one.py", GOOD)
    assert plugin(find_plugins(), "one").status == "loaded"
    change_settings(a=1)
    assert read_settings()["a"] == 1


def test_settings_keep_what_is_not_changed_and_leave_no_litter():
    change_settings(a=1, b=[1, 2])
    change_settings(a=3)
    assert read_settings() == {"a": 3, "b": [1, 2]}
    assert [path.name for path in config_folder().iterdir()] == ["settings.json"]


def test_settings_that_cannot_be_saved_are_an_error_that_names_the_file():
    config_folder().parent.mkdir(parents=True, exist_ok=True)
    config_folder().write_text("a file where a folder should be")
    with pytest.raises(SegdeskError, match=r"could not be saved to .*settings\.json: "):
        change_settings(a=1)


def test_every_installed_plugin_of_our_own_loads():
    ours = [plugin for plugin in find_plugins().plugins if plugin.source.startswith("segdesk ")]
    assert {plugin.name for plugin in ours} >= {"pictures", "masks", "prompts", "scribble"}
    assert [plugin for plugin in ours if plugin.status != "loaded"] == []


def test_every_hook_of_the_contract_has_a_table():
    hooks = {name for name in vars(registry_module.hookspecs) if name.startswith("segdesk_")}
    assert hooks == set(registry_module.HOOKS)


HEAVY = "torch transformers PySide6 cv2 scipy skimage tifffile PIL pycocotools psutil zstandard"
LIST_PLUGINS = f"""
import json, sys
from segdesk.engine.registry import registry
plugins = [[p.name, p.source, p.status, p.reason, *p.offers] for p in registry().plugins]
heavy = [name for name in {HEAVY.split()} if name in sys.modules]
print(json.dumps([plugins, heavy]))
"""


@pytest.fixture
def list_plugins(tmp_path):
    """Return a function that lists the plugins of a new process with distributions added."""

    def run():
        code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{LIST_PLUGINS}"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        plugins, heavy = json.loads(done.stdout)
        return {name: rest for name, *rest in plugins}, heavy

    return run


def distribution(folder, name, module, text):
    """Lay a distribution out as pip does."""
    (folder / f"{module}.py").write_text(text)
    info = folder / f"{name}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[segdesk.plugins]\n{name} = {module}\n")


def test_distributions_of_strangers_are_found_and_broken_ones_named(tmp_path, list_plugins):
    distribution(tmp_path, "alpha", "alpha_plugin", GOOD)
    distribution(tmp_path, "beta", "beta_plugin", "import no_such_module")
    distribution(tmp_path, "gamma", "gamma_plugin", "raise SystemExit('bye')")
    distribution(tmp_path, "delta", "delta_plugin", hook("return []", "segdesk_segmentrs"))
    (tmp_path / "delta-1.2.dist-info/entry_points.txt").write_text(
        "[segdesk.plugins]\ndelta = delta_plugin:nothing_there\n"
    )
    plugins, _ = list_plugins()
    assert plugins["alpha"] == ["alpha 1.2", "loaded", "", "segmenter ID"]
    assert plugins["beta"][:2] == ["beta 1.2", "broken"]
    assert "no_such_module" in plugins["beta"][2]
    assert plugins["gamma"][2] == "SystemExit: bye"
    assert "nothing_there" in plugins["delta"][2]


def test_listing_the_installed_plugins_imports_nothing_heavy(list_plugins):
    plugins, heavy = list_plugins()
    assert plugins["pictures"][1] == "loaded"
    assert heavy == []
