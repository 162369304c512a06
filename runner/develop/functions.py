"""The site's functions as they lie on disk at this moment: routes at once, code when it is called.

A function is packaged as for a deploy, alone, when it is called for the first time after something
was saved; the same content keeps its warm processes.
"""

from __future__ import annotations

import json
import shutil
import threading
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from runner.develop.snapshot import Watch
from runner.errors import JamError
from runner.execution.matching import Table
from runner.execution.program import Program
from runner.model import Admission, Background, Function
from runner.names import Names, function_variable
from runner.package.functions.discover import Source, discover
from runner.package.functions.settings import FunctionsSettings, configure
from runner.package.functions.source_map import INPUTS

# Beside the functions, what decides over their bundles: dependencies, settings, compiler options.
_BESIDE = ("package.json", "tsconfig.json", "node_modules/.package-lock.json")

Package = Callable[[str, FunctionsSettings], Function]
"""Packages the function of a name; its archive lies where `Function.archive` says."""
AddExported = Callable[[FunctionsSettings, tuple[Source, ...]], FunctionsSettings]
"""Adds to the settings what functions say of themselves in their code."""
Borrow = Callable[[Source, Function], Mapping[str, str]]
"""Variables that a deployed function gets from its account, such as the values of secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """What can be called: `table` has routes as API Gateway has them, each with its function.

    `every` has those without a route as well; `running` says by name what runs apart,
    `streams` are the names of those that stream.
    """

    table: Table = field(default_factory=lambda: Table(()))
    sources: tuple[Source, ...] = ()
    admissions: tuple[Admission, ...] = ()
    every: tuple[Source, ...] = ()
    running: Mapping[str, Background] = field(default_factory=dict)
    streams: frozenset[str] = frozenset()
    settings: FunctionsSettings = field(default_factory=FunctionsSettings)
    error: JamError | None = None

    def named(self, name: str) -> Source | None:
        return next((source for source in self.every if source.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the site lies: `file` is its jam.toml, `work` is ours to fill."""

    root: Path
    directory: str
    file: Path
    work: Path
    names: Names

    @property
    def folder(self) -> Path:
        return self.root / self.directory


@dataclass(slots=True)
class _Made:
    program: Program
    generation: int


@dataclass
class Functions:
    """`settings` reads the site's settings anew; `clock` counts seconds; `changed` is told the
    identities that are of use after a function was packaged.
    """

    place: Place
    settings: Callable[[], FunctionsSettings]
    package: Package
    clock: Callable[[], float]
    changed: Callable[[frozenset[str]], None] = lambda _identities: None
    borrow: Borrow = lambda _source, _function: {}
    exported: AddExported = lambda settings, _sources: settings
    _routes: Routes = field(default_factory=Routes)
    _watch: Watch = field(init=False)
    _stale: bool = True
    _looked: float = -1.0
    _generation: int = 0
    _outside: set[Path] = field(default_factory=set)
    _others: list[str] = field(init=False)
    _made: dict[str, _Made] = field(default_factory=dict)
    _looking: threading.Lock = field(default_factory=threading.Lock)
    _building: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._others = self._watched()
        self._watch = Watch(str(self.place.folder))

    def routes(self) -> Routes:
        """The routes as of now; with `error` where the folder cannot be served at all."""
        asked = self.clock()
        with self._looking:
            # Whoever waited here needs no look of his own: one has begun since he asked.
            if self._looked < asked:
                self._look()
            return self._routes

    def program(self, source: Source) -> Program:
        """What runs for a function now; raises JamError for what is wrong with it."""
        made = self._made.get(source.name)
        if made and made.generation == self._generation:
            return made.program
        return self._current(source, self._routes.settings)

    def shown(self, text: str) -> str:
        """A text in which paths of what runs are those of what was written."""
        folder, root = str(self.place.work), str(self.place.root)
        parts = text.split(f"{folder}/")
        shown = parts[0] + "".join(
            part.partition("/")[2].replace("functions/", f"{self.place.directory}/", 1)
            for part in parts[1:]
        )
        return shown.replace(f"{root}/", "")

    def _current(self, source: Source, settings: FunctionsSettings) -> Program:
        with self._building:
            made, generation = self._made.get(source.name), self._generation
            if made and made.generation == generation:
                return made.program
            function = self.package(source.name, settings)
            program = self._unpacked(function, self.borrow(source, function))
            self._outside |= _written_outside(function.archive, self.place)
            self._others = self._watched()
            self._made[source.name] = _Made(program, generation)
        if made and made.program.identity != program.identity:
            self.changed(frozenset(each.program.identity for each in self._made.values()))
        return program

    def _look(self) -> None:
        self._looked = self.clock()
        self._stale |= self._watch.changed(self._others, at=self._looked)
        if self._stale:
            self._routes = self._read()
            self._generation += 1
            self._stale = False

    def _watched(self) -> list[str]:
        place = self.place
        beside = (above / name for above in (place.root, place.folder) for name in _BESIDE)
        return [*map(str, [place.file.absolute(), *beside, *sorted(self._outside)])]

    def _read(self) -> Routes:
        try:
            settings = self.settings()
            sources = discover(self.place.folder).sources
        except JamError as error:
            return Routes(error=error)
        told = self._with_exported(settings, sources)
        found = [(source, configure(source, told)) for source in sources]
        routed = [
            (f"{method} {source.route}", source, configuration.admission)
            for source, configuration in found
            for method in configuration.methods
        ]
        return Routes(
            table=Table(key for key, _, _ in routed),
            sources=tuple(source for _, source, _ in routed),
            admissions=tuple(admission for _, _, admission in routed),
            every=sources,
            running={source.name: one.background for source, one in found if one.background},
            streams=frozenset(source.name for source, one in found if one.stream),
            settings=settings,
        )

    def _with_exported(
        self, settings: FunctionsSettings, sources: tuple[Source, ...]
    ) -> FunctionsSettings:
        """What is wrong in one function's code is told when that one is called."""
        try:
            return self.exported(settings, sources)
        except JamError:
            return settings

    def _unpacked(self, function: Function, borrowed: Mapping[str, str]) -> Program:
        folder = self.place.work / function.archive.stem
        if not folder.is_dir():
            _unpack(function.archive, folder, root=self.place.root)
        name = self.place.names.function(function.name)
        return Program(
            identity=f"{function.name}@{function.digest}{_mark(borrowed)}",
            name=name,
            version="$LATEST",
            runtime=function.runtime,
            handler=function.handler,
            folder=folder,
            memory=function.memory,
            timeout=float(function.timeout),
            region=self.place.names.region,
            log_group=f"/aws/lambda/{name}",
            environment=tuple(
                {**self._told(function), **dict(function.environment), **borrowed}.items()
            ),
            stream=function.stream,
        )

    def _told(self, function: Function) -> Mapping[str, str]:
        """Where a deploy says what else there is: the other functions, by their plain names."""
        told = {
            function_variable(other): self.place.names.function(other)
            for other in function.grants.invoke
        }
        if function.runtime.startswith("nodejs"):
            own = dict(function.environment).get("NODE_OPTIONS", "")
            told["NODE_OPTIONS"] = f"{own} --enable-source-maps".strip()
        return told


def _mark(borrowed: Mapping[str, str]) -> str:
    """Tells programs apart that differ in these values alone."""
    return sha256(repr(sorted(borrowed.items())).encode()).hexdigest() if borrowed else ""


def _unpack(archive: Path, folder: Path, *, root: Path) -> None:
    scratch = folder.with_name(f"{folder.name}.unpacking")
    shutil.rmtree(scratch, ignore_errors=True)
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            made = Path(packed.extract(entry, scratch))
            made.chmod(entry.external_attr >> 16 & 0o777 or 0o644)
    source_map = archive.with_suffix(".map")
    code = next(scratch.glob("index.*js"), None)
    if source_map.is_file() and code:
        content = json.loads(source_map.read_bytes()) | {"sourceRoot": f"{root}/"}
        (scratch / "index.map").write_text(json.dumps(content))
        with code.open("a") as file:
            file.write("\n//# sourceMappingURL=index.map\n")
    scratch.rename(folder)


def _written_outside(archive: Path, place: Place) -> set[Path]:
    """Files of the site's own that a function is made of and that lie outside of its folder."""
    try:
        inputs = json.loads(archive.with_suffix(".map").read_bytes())[INPUTS]
    except (OSError, ValueError, KeyError):
        return set()
    paths = {place.root / path for path in inputs if "node_modules/" not in path}
    return {path for path in paths if not path.is_relative_to(place.folder)}
