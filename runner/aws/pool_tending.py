"""Keeps the pool of previews' hosts as it should be: what nobody has comes back, what is not needed
goes, slowly: a distribution is switched off first, and deleted once every edge knows.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from runner.aws import distributions, edge_removal, pool, pool_records, preview_records
from runner.aws.leases import Lease
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.model import Origin
from runner.names import Names
from runner.plan.hosts import Host, spare
from runner.plan.inventory import Thing, What
from runner.plan.previewed import Previewed


def tend(aws: Aws, names: Names, told: Previewed) -> Iterator[str]:
    """What was done, in words."""
    for each in pool_records.hosts(aws, names.previews):
        yield from _seen_to(aws, names, each, told)
    for each in spare(pool_records.hosts(aws, names.previews), now=aws.clock()):
        if pool_records.retire(aws, names.previews, each):
            edge_removal.disable(aws, each.distribution)
            yield f"{What.DISTRIBUTION} {each.distribution} is switched off, and goes later"


def _seen_to(aws: Aws, names: Names, host: Host, told: Previewed) -> Iterator[str]:
    shared = names.previews
    if host.retired:
        yield from _deleted(aws, shared, host)
    elif host.environment and _is_nobodys(host, told):
        if _returned(aws, names.preview(int(host.environment.removeprefix("pr-")))):
            yield f"the host {host.domain or host.member} of {host.environment}"
    elif not host.distribution and not host.environment:
        _finish(aws, shared, host)
    elif host.distribution:
        yield from _looked_at(aws, shared, host)


def _is_nobodys(host: Host, told: Previewed) -> bool:
    """Nothing of its preview is on record, and no run is at it."""
    tenant = told.tenants.get(host.environment)
    return tenant is None or not (tenant.releases or tenant.at_it)


def _returned(aws: Aws, names: Names) -> bool:
    """Under the preview's lease: a run may have begun since its records were read."""
    lease = Lease(aws, names, owner=secrets.token_hex(8), run="gc", origin=Origin())
    with lease.kept():
        lease.take(say=lambda _line: None)
        known = preview_records.known(aws, names)
        if known and known.releases:
            return False
        given = pool_records.give_back(aws, names, lease=lease)
        if known and not known.closed:  # the lease is all that there is
            preview_records.forget(aws, names)
        return given


def _finish(aws: Aws, shared: Names, host: Host) -> None:
    """A run that claimed the number was killed, or closed, before it told what it had made."""
    made = pool.find(aws, shared, host)
    if made:
        pool_records.complete(aws, shared, host, made)
    else:
        pool_records.forget(aws, shared, host)


def _looked_at(aws: Aws, shared: Names, host: Host) -> Iterator[str]:
    """What somebody did by hand is told, and left."""
    why = pool.flaw(aws, host)
    if why and why != host.lost:
        pool_records.lose(aws, shared, host, why)
        yield f"{host.distribution} from the pool: it was {why} by hand"
    elif host.lost and not why:
        pool_records.find_again(aws, shared, host)


def _deleted(aws: Aws, shared: Names, host: Host) -> Iterator[str]:
    thing = Thing(kind=What.DISTRIBUTION, name=host.distribution, key=host.distribution)
    with tolerating("NoSuchDistribution"):
        edge_removal.disable(aws, host.distribution)  # a run that was killed had only said so
        if not distributions.is_deployed(aws, host.distribution):
            return
        edge_removal.distribution(aws, shared, thing)
    pool_records.forget(aws, shared, host)
    yield f"{What.DISTRIBUTION} {host.distribution}"
