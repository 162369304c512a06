"""What a preview's run made after another had taken its turn: taken away again, by that run itself.

A run that slept wakes in the middle of its steps, and the next visible one is refused. By then it
may have made what nobody's record names, and a closing has nothing left to look for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from runner.aws import preview_api, preview_records, preview_steps
from runner.aws.functions import versions_of
from runner.aws.leases import Lease
from runner.aws.session import Aws
from runner.closing import remove
from runner.model import Release
from runner.names import Names
from runner.plan.previewing import LetGo
from runner.plan.refs import Made, Ref


def undo(
    aws: Aws,
    names: Names,
    release: Release,
    *,
    store: str,
    owns: tuple[str, ...],
    lease: Lease,
    say: Callable[[str], None],
) -> None:
    """Under the `lease`, once it is known that the preview is closed, or another release's: all of
    a closed one; else what is of `release` alone, made of `owns`."""
    recorded = preview_records.recorded(aws, names, release="")
    there = recorded.environment
    known = preview_records.known(aws, names)
    if known is None or (lease.inherited and not there.closed):
        return  # whoever goes on with what it left has the newer release, and finds ours
    lease.begin()
    if there.closed:
        remove(aws, names, lease=lease, say=say, owns=owns)
    else:
        if release.id not in there.history:
            rest = [each for each in recorded.past if each.release != release.id]
            stay = frozenset(it for each in rest for it in each.versions)
            mine = [names.function(it.name) for it in release.functions]
            shared = [each for each in mine if f"function {each}" in known.owns]
            step = LetGo(releases=(release.id,), versions=_nobodys(aws, shared, stay=stay))
            nothing = replace(release, functions=())
            host = there.ids.get(Made.DOMAIN, "")
            stands = {Ref(Made.STORE): store, Ref(Made.DOMAIN): host}
            preview_steps.let_go(aws, names, step=step, release=nothing, known=stands, lease=lease)
        preview_api.drop_unled(aws, names)
        for thing in preview_steps.things_of(each for each in owns if each not in known.owns):
            lease.check()
            preview_steps.remove(aws, names, thing)
    lease.done()


def _nobodys(
    aws: Aws, functions: Iterable[str], *, stay: frozenset[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """Versions that no release on record has: under the lease nobody is about to record one."""
    found = [(name, each) for name in functions for each in versions_of(aws, name)]
    return tuple(each for each in found if each not in stay)
