"""Which commit a work tree is at, for a deploy by hand. Runs nothing that the repository names.

A repository's own configuration names programs: monitors, filters, hooks, transports. Where its
HEAD points git says without any of them. Whether files differ is asked of an empty repository of
ours with its objects and its index, so that its configuration is not read at all.
Source: git-config(1), core.fsmonitor, filter.<driver>.clean; git(1), GIT_INDEX_FILE.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from runner.model import Origin

_BRANCH = 200  # letters of a name that anybody wants to read
LONGEST = 10  # seconds; a work tree that takes longer is not told of
_HANDED = ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR")
_QUIET = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
_WHERE = ("--show-toplevel", "--git-path", "objects", "--git-path", "index")


def checked_out(folder: Path, environment: Mapping[str, str]) -> Origin:
    """Commit, branch and whether tracked files differ from it; empty without git or commit.

    The author is whoever deploys, as in a workflow.
    """
    folder = folder.absolute()
    commit = _git(folder, environment, "rev-parse", "--verify", "--quiet", "HEAD")
    if not commit:
        return Origin()
    branch = _git(folder, environment, "symbolic-ref", "--short", "--quiet", "HEAD")
    return Origin(
        commit=commit,
        branch=branch[:_BRANCH],
        author=environment.get("USER") or environment.get("LOGNAME") or "",
        dirty=_differs(folder, environment, commit=commit),
    )


def _differs(folder: Path, environment: Mapping[str, str], *, commit: str) -> bool:
    """False where git cannot tell: what is not known is not said."""
    told = _git(folder, environment, "rev-parse", *_WHERE).splitlines()
    if len(told) != 3:
        return False
    top, objects, index = told
    with tempfile.TemporaryDirectory(prefix="jam-git-") as name:
        empty = Path(name)
        for each in ("objects", "refs"):
            (empty / each).mkdir()
        (empty / "HEAD").write_text(f"{commit}\n")
        (empty / "config").write_text(_format(commit))
        borrowed = {
            "GIT_DIR": name,
            "GIT_WORK_TREE": top,
            "GIT_OBJECT_DIRECTORY": str(folder / objects),
            "GIT_INDEX_FILE": str(folder / index),
        }
        listing = ("status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all")
        return bool(_git(Path(top), {**environment, **borrowed}, *listing, more=tuple(borrowed)))


def _format(commit: str) -> str:
    """What git must know to read the objects. Source: git-config(1), extensions.objectFormat."""
    if len(commit) == 40:
        return "[core]\n\trepositoryformatversion = 0\n"
    return "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n"


def _git(
    folder: Path, environment: Mapping[str, str], *arguments: str, more: tuple[str, ...] = ()
) -> str:
    """What git says; empty where it is missing, refuses or takes too long."""
    handed = {name: environment[name] for name in (*_HANDED, *more) if name in environment}
    try:
        done = subprocess.run(
            ["git", *_QUIET, "-C", str(folder), *arguments],
            env={**handed, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=LONGEST,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return os.fsdecode(done.stdout).strip() if done.returncode == 0 else ""
