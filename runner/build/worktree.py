"""What a build wrote besides its publish folder, told by git before and after.

One `git status` each time: tracked files that changed and new files that no .gitignore names. A
folder without a repository gets an empty one beside it (nothing is written to the site's), so that
the site's .gitignore holds there too. Without git nothing is watched.

Limits: files outside the site's folder, ignored files, and a file written twice with the same size
in one tick of the file system's clock are not seen. What package managers and frameworks write on
every build (`HABITS`) is no fault of the site's.
"""

from __future__ import annotations

import fnmatch
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

HABITS = (
    # package managers
    *("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock"),
    *("bun.lockb", "deno.lock", "Gemfile.lock", "go.sum", ".pnp.*", ".yarn/*", ".pnpm-store/*"),
    *("node_modules/*", "vendor/bundle/*", ".bundle/*", "__pycache__/*", "*.pyc"),
    # frameworks' own caches and generated types
    *(".next/*", "next-env.d.ts", ".nuxt/*", ".output/*", ".nitro/*", ".svelte-kit/*", ".astro/*"),
    *(".cache/*", ".parcel-cache/*", ".vite/*", ".angular/*", ".docusaurus/*", ".turbo/*"),
    *(".vitepress/cache/*", ".temp/*", ".jekyll-cache/*", ".jekyll-metadata", ".sass-cache/*"),
    *(".hugo_build.lock", "hugo_stats.json", "resources/_gen/*", "*.tsbuildinfo", "*.log"),
    *(".jam/*", ".DS_Store", ".eslintcache", ".netlify/*", ".vercel/*", "tsconfig.json"),
)
TIMEOUT = 120  # seconds: a work tree that git cannot survey in that time is not watched


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Files below `root` that differ from what is committed, with time of change and size."""

    root: Path
    files: Mapping[str, tuple[int, int]]


def snapshot(root: Path, environment: Mapping[str, str]) -> Snapshot | None:
    """How the site in `root` differs from its commit now; None without git.

    Only the site's own folder: elsewhere in a repository somebody else may be at work. Runs under
    the build's own environment: after a hostile build the repository's configuration (fsmonitor,
    filters) is the build's code.
    """
    site = root.resolve()
    top = _git(["-C", str(site), "rev-parse", "--show-toplevel"], environment)
    if top is not None:
        where = ["-C", str(site)]
        return _survey(site, where, top=Path(os.fsdecode(top[:-1])), environment=environment)
    with tempfile.TemporaryDirectory(prefix="jam-git-") as bare:
        if _git(["init", "--quiet", "--bare", bare], environment) is None:
            return None
        where = ["-C", str(site), f"--git-dir={bare}", f"--work-tree={site}"]
        return _survey(site, where, top=site, environment=environment)


def written(before: Snapshot, after: Snapshot, *, inside: tuple[Path, ...]) -> tuple[str, ...]:
    """The files that changed in between, except below `inside` and by habit, sorted."""
    changed = {name for name, stat in after.files.items() if before.files.get(name) != stat}
    changed |= before.files.keys() - after.files.keys()
    real = tuple(folder.resolve() for folder in inside)
    return tuple(
        sorted(
            name
            for name in changed
            if not _by_habit(name) and not any(_below(after.root / name, it) for it in real)
        )
    )


def _survey(
    site: Path, where: list[str], *, top: Path, environment: Mapping[str, str]
) -> Snapshot | None:
    listing = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"]
    skipped = [".", ":(exclude,glob)**/node_modules/**"]
    output = _git([*where, *listing, "--", *skipped], environment)
    if output is None:
        return None
    paths = [top / os.fsdecode(entry[3:]) for entry in output.split(b"\0") if entry]
    return Snapshot(site, {it.relative_to(site).as_posix(): _stat(it) for it in paths})


def _stat(path: Path) -> tuple[int, int]:
    try:
        found = path.lstat()
    except OSError:
        return (0, -1)  # deleted
    return (found.st_mtime_ns, found.st_size)


def _by_habit(name: str) -> bool:
    return any(
        fnmatch.fnmatchcase(name, habit) or fnmatch.fnmatchcase(name, f"*/{habit}")
        for habit in HABITS
    )


def _below(path: Path, folder: Path) -> bool:
    return path.parent.resolve().is_relative_to(folder)


def _git(arguments: list[str], environment: Mapping[str, str]) -> bytes | None:
    """git's output, or None when it is missing, refuses or takes too long."""
    quiet = ["-c", "core.fsmonitor=false", "-c", "core.quotePath=false"]
    try:
        done = subprocess.run(
            ["git", *quiet, *arguments],
            env={**environment, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
