"""What a process gives up for good, with all that it starts, before it meets code of the site's.

Linux's own means; elsewhere nothing is given up (docs/security.md says what that leaves).
Sources: prctl(2), capabilities(7), credentials(7), ptrace(2); docs.docker.com, "Runtime privilege
and Linux capabilities".
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys

# linux/prctl.h
_PDEATHSIG, _DUMPABLE, _CAPBSET_READ, _CAPBSET_DROP = 1, 4, 23, 24
_CHILD_SUBREAPER, _NO_NEW_PRIVS = 36, 38
_LAST_CAPABILITY = 63  # the kernel's own last one is lower: it answers EINVAL from there on


def hide() -> None:
    """Nobody without CAP_SYS_PTRACE reads environment, memory or open files of this process.

    From here on; programs that it starts decide for themselves. A container lacks the capability.
    """
    _prctl(_DUMPABLE, 0)


def no_new_privileges() -> None:
    """No setuid program and no file capability gives this process, or its children, any right."""
    _prctl(_NO_NEW_PRIVS, 1)


def adopt_orphans() -> None:
    """Descendants whose parent ends become children of this process, daemons as well."""
    _prctl(_CHILD_SUBREAPER, 1)


def die_with_parent(number: int) -> None:
    """This process gets the signal `number` when the thread that started it ends."""
    _prctl(_PDEATHSIG, number)


def become(uid: int, gid: int) -> None:
    """From root to a user without groups, capabilities, core dumps or a way back."""
    no_new_privileges()
    for capability in range(_LAST_CAPABILITY + 1):
        if _prctl(_CAPBSET_READ, capability) == 1:
            _prctl(_CAPBSET_DROP, capability)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)  # empties the other sets of capabilities: capabilities(7)
    hide()


def _prctl(option: int, value: int) -> int:
    if sys.platform != "linux":
        return 0
    return int(ctypes.CDLL(None).prctl(option, value, 0, 0, 0))
