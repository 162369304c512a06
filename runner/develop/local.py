"""Everything that runs a site's functions on this machine, put together; no process outlives it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

from runner.config.load import Config
from runner.develop.account import Account
from runner.develop.admission import announced, gate
from runner.develop.background import announced as announced_schedules
from runner.develop.functions import Functions, Place
from runner.develop.machine import Machine, of_functions
from runner.develop.output import readable
from runner.develop.serving import ACCOUNT, Serving
from runner.execution.interpreters import Interpreters
from runner.execution.pool import Pool
from runner.execution.program import Line, Program
from runner.model import Function
from runner.names import Names
from runner.package.functions.settings import FunctionsSettings
from runner.toolchain import find

if TYPE_CHECKING:
    from runner.package.functions.discover import Source
    from runner.package.site import Surroundings

HOST = "127.0.0.1"
_WORK = ".jam"  # as packaging has it
_AT_ONCE = 32  # processes of functions: a bound of this machine
_IDLE = 600.0  # seconds until one that nobody calls ends

Load = Callable[[], Config]


class Local:
    """`serving` answers requests; `port` is where functions find Lambda once somebody listens;
    `work` is a folder of this run.
    """

    def __init__(self, config: Config, load: Load, machine: Machine) -> None:
        self.config = config
        self.port = 0
        self._latest = config
        self._load: Load = load
        self._machine = machine
        place = _place(config, machine)
        self.work = place.work
        self._pool = Pool(
            Interpreters(find(machine.cache).node, place.work / "runtime"),
            now=machine.now,
            extra=lambda _program: of_functions(machine, f"http://{HOST}:{self.port}"),
            sink=self._sink,
            limit=_AT_ONCE,
            idle=_IDLE,
        )
        self._account = Account(machine, place.names, config.functions)
        self._functions = Functions(
            place=place,
            settings=self._settings,
            package=self._packaged,
            clock=machine.clock,
            changed=lambda kept: self._pool.retire(lambda program: program.identity in kept),
            borrow=self._borrowed,
            exported=self._exported,
        )
        self.serving = Serving(
            functions=self._functions,
            run=self._pool.invoke,
            now=machine.now,
            say=self._say,
            gate=gate(machine.environment.get("AWS_ENDPOINT_URL", ""), machine.now),
        )

        for name, each in config.settings.authorizers.items():
            machine.say(announced(name, each.issuer))

    def warm_up(self) -> None:
        """Imports what packaging needs, before the first request has to wait for it."""
        import runner.package.functions.assemble  # noqa: F401 -- only that it is there

        running = self._functions.routes().running
        for line in announced_schedules(running, f"http://localhost:{self.port}"):
            self._machine.say(line)

    def close(self) -> None:
        """Ends every process; may take a moment."""
        self._pool.close()
        shutil.rmtree(self.work, ignore_errors=True)

    def _settings(self) -> FunctionsSettings:
        """As jam.toml has them now: it may have been saved since the server was started."""
        from runner.package.site import functions_settings

        self._latest = self._load()
        return functions_settings(self._latest, self._around())

    def _exported(
        self, settings: FunctionsSettings, sources: tuple[Source, ...]
    ) -> FunctionsSettings:
        """What has no effect is said when a function is packaged, not whenever a file is saved."""
        from runner.package.functions.exported import Exported

        exported = Exported(
            folder=self._latest.root / self._latest.functions,
            directory=self._latest.functions,
            cache=self._latest.root / _WORK / "cache" / "config",
            toolchain=find(self._machine.cache),
            environment=self._machine.environment,
            echo=lambda _line: None,
        )
        return exported.added(settings, sources)

    def _borrowed(self, source: Source, function: Function) -> dict[str, str]:
        from runner.package.functions.environment import Environments

        self._account.prepare(function, self._latest.tables)
        written = Environments(self._latest.root / self._latest.functions).of(source.path, {})
        return self._account.secrets(function, dict(written))

    def site_environment(self) -> dict[str, str]:
        """`[build] environment`, its references resolved: the front end's own server gets it."""
        from runner.package.site import resolved

        section = self.config.settings.build.environment
        return dict(resolved(section, self._around(), where="build.environment"))

    def _around(self) -> Surroundings:
        from runner.package.site import Surroundings

        return Surroundings(
            environment=self._machine.environment,
            tools=self._machine.environment,
            cache=self._machine.cache,
            echo=self._machine.say,
            parameter=lambda name: self._machine.aws(self.config.region).parameter(name),
        )

    def _packaged(self, name: str, settings: FunctionsSettings) -> Function:
        from runner.package.functions.assemble import package_functions

        (function,) = package_functions(
            root=self.config.root,
            directory=self.config.functions,
            settings=settings,
            toolchain=find(self._machine.cache),
            work=self.config.root / _WORK,
            environment=self._machine.environment,
            echo=lambda line: self._say(name, line),
            source_maps=True,
            only=name,
        )
        return function

    def _sink(self, program: Program, _stream: str, lines: tuple[Line, ...]) -> None:
        name = program.identity.rpartition("@")[0]
        for line in lines:
            for text in readable(line.text):
                self._say(name, self._functions.shown(text))

    def _say(self, name: str, text: str) -> None:
        for line in text.split("\n"):
            self._machine.say(f"{name} │ {line}")


def _place(config: Config, machine: Machine) -> Place:
    """Functions lie apart from the site, as on Lambda: they find neither its `package.json` nor its
    `node_modules` above them. What is there is of another run's code, and goes.
    """
    root = config.root.resolve()
    work = machine.cache / "develop" / hashlib.sha256(str(root).encode()).hexdigest()[:16]
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    (work / "package.json").write_text("{}")
    return Place(
        root=root,
        directory=config.functions,
        file=config.file or config.root / "jam.toml",
        work=work.resolve(),
        names=Names(config.site, ACCOUNT, config.region),
    )
