"""Finds the plugins, asks each one on its own, and keeps a broken one out with its reason."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.metadata import entry_points
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

import pluggy

from segdesk.api import ReaderSpec, SegmenterSpec, TrainerSpec, WriterSpec, hookspecs
from segdesk.core.errors import UsageError, in_words
from segdesk.engine.folders import change_settings, plugin_folder, read_settings
from segdesk.engine.spec_check import check_spec

GROUP = "segdesk.plugins"
HOOKS: dict[str, type[Any]] = {
    "segdesk_segmenters": SegmenterSpec,
    "segdesk_readers": ReaderSpec,
    "segdesk_writers": WriterSpec,
    "segdesk_trainers": TrainerSpec,
}
Spec = TypeVar("Spec")
_finding = RLock()


@dataclass(frozen=True)
class Plugin:
    """One plugin, in use or not."""

    name: str
    source: str  # distribution and version, or the path in the user's folder
    status: str  # "loaded", "disabled" or "broken"
    reason: str = ""  # why it is broken
    offers: tuple[str, ...] = ()  # "segmenter scribble", ...


@dataclass
class Registry:
    """Everything that the plugins offer, by id."""

    segmenters: dict[str, SegmenterSpec] = field(default_factory=dict)
    readers: dict[str, ReaderSpec] = field(default_factory=dict)
    writers: dict[str, WriterSpec] = field(default_factory=dict)
    trainers: dict[str, TrainerSpec] = field(default_factory=dict)
    plugins: list[Plugin] = field(default_factory=list)

    def segmenter(self, spec_id: str) -> SegmenterSpec:
        """Return a segmenter; raises ``UsageError`` that names the known ones."""
        return self._find(self.segmenters, spec_id, "segmenter")

    def writer(self, spec_id: str) -> WriterSpec:
        """Return a writer; raises ``UsageError`` that names the known ones."""
        return self._find(self.writers, spec_id, "format")

    def load(self, name: str, source: str, load: Callable[[], Any]) -> None:
        """Load one plugin, and note it as loaded or, with the reason, as broken."""
        try:
            with redirect_stdout(sys.stderr):  # what it prints must not mix with answers
                offered = _offers(name, load())
            self._reject_twins(offered)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code: named, left out, life goes on
            self.plugins.append(Plugin(name, source, "broken", in_words(error)))
            return
        for hook, spec in offered:
            self._table(hook)[spec.id] = spec
        offers = tuple(f"{_noun(hook)} {spec.id}" for hook, spec in offered)
        self.plugins.append(Plugin(name, source, "loaded", offers=offers))

    def _reject_twins(self, offered: list[tuple[str, Any]]) -> None:
        seen: set[tuple[str, str]] = set()
        for hook, spec in offered:
            if spec.id in self._table(hook):
                raise TypeError(f"another plugin already offers the {_noun(hook)} {spec.id!r}")
            if (hook, spec.id) in seen:
                raise TypeError(f"it offers the {_noun(hook)} {spec.id!r} twice")
            seen.add((hook, spec.id))

    def _find(self, table: dict[str, Spec], spec_id: str, noun: str) -> Spec:
        if spec_id not in table:
            known = ", ".join(sorted(table)) or "none"
            is_less = any(plugin.status != "loaded" for plugin in self.plugins)
            hint = "; `segdesk plugins` shows which plugins are not in use" if is_less else ""
            raise UsageError(f"There is no {noun} {spec_id!r}. Known: {known}{hint}.")
        return table[spec_id]

    def _table(self, hook: str) -> dict[str, Any]:
        table: dict[str, Any] = getattr(self, hook.removeprefix("segdesk_"))
        return table


def registry() -> Registry:
    """Return the plugins of this process, found at the first call."""
    with _finding:  # when two threads are the first, one waits: a plugin is loaded only once
        return _found()


def forget_plugins() -> None:
    """Let the next call of ``registry`` look for plugins anew."""
    _found.cache_clear()


def find_plugins() -> Registry:
    """Load the installed plugins and those in the user's folder, disabled ones left out."""
    found = Registry()
    disabled = _disabled()
    for name, source, load in [*_installed(), *_in_folder(plugin_folder())]:
        if any(name == plugin.name for plugin in found.plugins):
            reason = "another plugin has the same name: rename this one"
            found.plugins.append(Plugin(name, source, "broken", reason))
        elif name in disabled:
            found.plugins.append(Plugin(name, source, "disabled"))
        else:
            found.load(name, source, load)
    return found


def set_plugin_enabled(name: str, enabled: bool) -> None:
    """Enable or disable a plugin from the next start on. Raises ``UsageError``."""
    if name not in {plugin.name for plugin in registry().plugins}:
        raise UsageError(f"There is no plugin {name!r}; `segdesk plugins` lists them.")
    names = _disabled() - {name} if enabled else _disabled() | {name}
    change_settings(disabled_plugins=sorted(names))


@cache
def _found() -> Registry:
    return find_plugins()


def _disabled() -> set[str]:
    names = read_settings().get("disabled_plugins")
    return {str(name) for name in names} if isinstance(names, list) else set()


def _installed() -> Iterable[tuple[str, str, Callable[[], Any]]]:
    for point in entry_points(group=GROUP):
        source = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
        yield point.name, source, point.load


def _in_folder(folder: Path) -> Iterable[tuple[str, str, Callable[[], Any]]]:
    try:
        paths = sorted(folder.iterdir())
    except OSError:  # absent, as a rule
        return
    for path in paths:
        file = path / "__init__.py" if path.is_dir() else path
        if file.suffix == ".py" and file.is_file() and not path.name.startswith(("_", ".")):
            yield path.stem, str(path), partial(_load_file, file, path.stem)


def _load_file(file: Path, name: str) -> Any:
    module_name = f"segdesk_user_{name}"
    spec = importlib.util.spec_from_file_location(module_name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[module_name]
        raise
    return module


def _offers(name: str, module: Any) -> list[tuple[str, Any]]:
    """Return (hook, spec) of all that one plugin offers; raises when it breaks the contract."""
    host = pluggy.PluginManager("segdesk")
    host.add_hookspecs(hookspecs)
    host.register(module, name)
    host.check_pending()
    callers = host.get_hookcallers(module) or []
    if not callers:
        raise TypeError(f"it implements none of the hooks {', '.join(HOOKS)}")
    return [
        (caller.name, spec)
        for caller in callers
        for answer in caller() or [None]  # pluggy leaves out the answer None
        for spec in _checked(caller.name, answer)
    ]


def _checked(hook: str, answer: Any) -> list[Any]:
    kind = HOOKS[hook]
    if not isinstance(answer, list) or not all(isinstance(spec, kind) for spec in answer):
        raise TypeError(f"{hook} must return a list of {kind.__name__}, not {answer!r:.80}")
    for spec in answer:
        check_spec(spec)
    return answer


def _noun(hook: str) -> str:
    return hook.removeprefix("segdesk_").removesuffix("s")
