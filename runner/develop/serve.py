"""The commands `functions` and `dev`: one port, until they are told to end."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from runner.build.environment import for_build
from runner.build.shims import shims
from runner.config.dev import dev_command
from runner.develop.background import BY_HAND
from runner.develop.front_end import FrontEnd
from runner.develop.http import Answer, Elsewhere, Front, Server
from runner.develop.local import HOST, Load, Local
from runner.develop.machine import Machine
from runner.develop.serving import INVOKE
from runner.errors import site_error
from runner.execution.http_messages import Request, Response
from runner.package.functions.discover import ROUTES
from runner.toolchain import find


def serve_functions(load: Load, machine: Machine, *, port: int) -> None:
    """Serves the functions alone until SIGINT or SIGTERM. Raises JamError for a port in use."""
    ended = _ending()
    with (
        _local(load, machine) as local,
        _listening(local, machine, port=port, answer=local.serving.answer),
    ):
        ended.wait()


def serve_site(load: Load, machine: Machine, *, port: int) -> None:
    """Serves front end and functions behind one port until SIGINT or SIGTERM."""
    ended = _ending()
    with _local(load, machine) as local, ExitStack() as stack:
        site = _Site(local, machine)
        listening = _listening(
            local, machine, port=port, answer=site.answer, elsewhere=site.elsewhere
        )
        stack.enter_context(listening)
        stack.callback(site.close)
        site.start()
        ended.wait()


class _Site:
    """Functions here; everything else from the front end's own server, or as it lies."""

    def __init__(self, local: Local, machine: Machine) -> None:
        self._local = local
        self._machine = machine
        self._command = dev_command(local.config)
        self._front: FrontEnd | None = None
        self._started = threading.Event()
        self._plain = None if self._command else _pages(local, machine)

    def start(self) -> None:
        if self._command:
            self._machine.say(f"site │ {self._command}")
            self._front = FrontEnd(
                self._command,
                self._local.config.root,
                environment=self._environment(),
                say=lambda line: self._machine.say(f"site │ {line}"),
            )
        self._started.set()

    def close(self) -> None:
        if self._front:
            self._front.close()

    def elsewhere(self, path: str) -> tuple[str, int] | None:
        if _is_ours(path) or not self._command:
            return None
        self._started.wait()
        return self._front.address() if self._front else None

    def answer(self, request: Request) -> Response:
        if _is_ours(request.path):
            return self._local.serving.answer(request)
        if self._plain:
            return self._plain(request)
        text = f"`{self._command}` has ended, or has not said where it listens\n".encode()
        return Response(status=502, headers=(("content-type", "text/plain"),), body=text)

    def _environment(self) -> dict[str, str]:
        """As for a build, but nobody's CI, and without a browser of its own."""
        seen = self._machine.environment
        built = for_build(
            seen,
            site=self._local.site_environment(),
            jam_environment="development",
            url=f"http://localhost:{self._local.port}",
            commit="",
            node=shims(find(self._machine.cache).node, self._machine.cache),
        )
        kept = {name: value for name, value in built.items() if name != "CI" or name in seen}
        return {"BROWSER": "none", **kept}


def _pages(local: Local, machine: Machine) -> Answer:
    from runner.develop.pages import Pages  # with the packager, which functions alone need later

    def say(text: str) -> None:
        for line in text.split("\n"):
            machine.say(f"site │ {line}")

    return Pages(local.config, local.work, say).answer


def _is_ours(path: str) -> bool:
    ours = (INVOKE, BY_HAND)
    return path.startswith(f"{ROUTES}/") or any(each.fullmatch(path) for each in ours)


def _ending() -> threading.Event:
    """Set by Ctrl-C and SIGTERM, which are the ordinary end."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.set())
    return ended


@contextmanager
def _local(load: Load, machine: Machine) -> Iterator[Local]:
    local = Local(load(), load, machine)
    try:
        yield local
    finally:
        local.close()


@contextmanager
def _listening(
    local: Local,
    machine: Machine,
    *,
    port: int,
    answer: Answer,
    elsewhere: Elsewhere = lambda _path: None,
) -> Iterator[None]:
    front = Front(answer=answer, elsewhere=elsewhere, now=machine.now)
    try:
        server = Server(front, host=HOST, port=port)
    except OSError as error:
        raise site_error(
            "JAM-PORT-TAKEN",
            f"Port {port} cannot be listened on: {error}",
            hint="End what uses it, or choose another with --port (0 takes a free one).",
        ) from error
    local.port = server.port
    machine.emit(f"http://localhost:{server.port}", server.port)
    threading.Thread(target=local.warm_up, daemon=True).start()
    try:
        yield
    finally:
        server.close()
