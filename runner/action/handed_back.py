"""The workspace as its owner can go on with it: what we made in it as root is given to them.

On a runner of one's own the next job could not clean up else.
Source: docs.github.com, "Dockerfile support for GitHub Actions", `USER`.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def hand_back(workspace: Path) -> None:
    """Whatever is root's in it becomes its owner's; nothing if we are not root, or own it."""
    if os.geteuid() != 0 or not workspace.is_dir():
        return
    owner = workspace.stat()
    if owner.st_uid == 0:
        return
    for folder, folders, files in os.walk(workspace):
        for each in (Path(folder) / name for name in (*folders, *files)):
            with suppress(OSError):
                if each.lstat().st_uid == 0:
                    os.lchown(each, owner.st_uid, owner.st_gid)
