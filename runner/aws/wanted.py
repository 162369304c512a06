"""What a site's foundation should be, and the digest that covers all of it. Pure.

When the digest equals the recorded one, nothing of the foundation is read or planned.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace

from runner.aws import dead_letters, delivery, documents, judging
from runner.model import Table
from runner.names import Names
from runner.package import keeper
from runner.plan.background import Unattended
from runner.plan.foundation import Role
from runner.plan.groundwork import Foundation
from runner.plan.streams import Stream

REVISION = 1  # raise it when a step makes something that no document below shows

# Where the distribution will have ids that AWS picks: the digest must not depend on them.
_SYMBOLS = delivery.Parts(
    entry_domain="entry",
    api_id="api",
    files_access="files-access",
    entry_access="entry-access",
    cache_policy="cache",
    forward_policy="forward",
    router_arn="router",
    response_arn="response",
    key="key",
)


_NOTHING = Unattended()


def foundation(
    names: Names,
    *,
    tables: tuple[Table, ...],
    router: str,
    response: str,
    unattended: Unattended = _NOTHING,
    streams: tuple[Stream, ...] = (),
    stream: str = "",
    guard: str = "",
    domains: tuple[str, ...] = (),
) -> Foundation:
    """The wanted foundation: the site's tables, the programs at the edge (`stream` where functions
    stream), and what functions need that run without a visitor.

    `guard` is the digest of the guard's program, empty for a site without rollouts. `domains` are
    no part of the digest: the record says how far they are.
    """
    roles = (*unattended.roles, *([Role.GUARD] if guard else []))
    wanted = [
        REVISION,
        [asdict(table) for table in tables],
        router,
        response,
        [documents.trust(role, names) for role in roles],
        [documents.permissions(role, names, unattended) for role in roles],
        dead_letters.told(names) if unattended else [],
        documents.bucket_policy(names, "distribution"),
        delivery.cache_policy(),
        delivery.forward_policy(),
        keeper.digest(),
        delivery.distribution(names, _symbols(names, streams)),
        *([stream] if streams else []),
        *([guard, judging.guarded("store")] if guard else []),
    ]
    digest = hashlib.sha256(documents.compact(wanted).encode()).hexdigest()[:32]
    return Foundation(
        digest=digest,
        tables=tables,
        router=router,
        response=response,
        unattended=unattended,
        streams=streams,
        stream=stream,
        guard=guard,
        domains=domains,
    )


def _symbols(names: Names, streams: tuple[Stream, ...]) -> delivery.Parts:
    paths = (
        delivery.Path(route=each.route, origin=names.function(each.name), domain="stream")
        for each in streams
    )
    return replace(_SYMBOLS, stream_arn="stream", streams=tuple(paths))
