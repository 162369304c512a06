"""What a site's foundation should be, and the digest that covers all of it. Pure.

When the digest equals the recorded one, nothing of the foundation is read or planned.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict

from runner.aws import delivery, documents
from runner.model import Table
from runner.names import Names
from runner.plan.decide import Foundation
from runner.plan.foundation import Role

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
)


def foundation(
    names: Names, *, tables: tuple[Table, ...], router: str, response: str
) -> Foundation:
    """The wanted foundation: the site's tables and the two programs at the edge."""
    wanted = [
        REVISION,
        [asdict(table) for table in tables],
        router,
        response,
        [documents.trust(role) for role in Role],
        [documents.permissions(role, names) for role in Role],
        documents.bucket_policy(names, "distribution"),
        delivery.cache_policy(names),
        delivery.forward_policy(names),
        delivery.distribution(names, _SYMBOLS),
    ]
    digest = hashlib.sha256(documents.compact(wanted).encode()).hexdigest()[:32]
    return Foundation(digest=digest, tables=tables, router=router, response=response)
