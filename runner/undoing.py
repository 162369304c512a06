"""What a preview's run made after another had taken its turn: taken away again, by that run itself.

A run that slept wakes in the middle of its steps, and the next visible one is refused. By then it
may have made what nobody's record names, and a closing has nothing left to look for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from runner.aws import preview_api, preview_records, preview_steps
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
    there = preview_records.recorded(aws, names, release="").environment
    known = preview_records.known(aws, names)
    if known is None or (lease.inherited and not there.closed):
        return  # whoever goes on with what it left has the newer release, and finds ours
    lease.begin()
    if there.closed:
        remove(aws, names, lease=lease, say=say, owns=owns)
    else:
        if release.id not in there.history:
            step = LetGo(releases=(release.id,))
            nothing = replace(release, functions=())
            stands = {Ref(Made.STORE): store}
            preview_steps.let_go(aws, names, step=step, release=nothing, known=stands, lease=lease)
        preview_api.drop_unled(aws, names)
        for thing in preview_steps.things_of(each for each in owns if each not in known.owns):
            lease.check()
            preview_steps.remove(aws, names, thing)
    lease.done()
