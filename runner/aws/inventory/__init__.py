"""Lists what bears our names or tags, service by service. Reads only.

The services themselves are asked, because the tagging API hears of changes late; it is asked last,
for what bears our tag and is of no kind that we make.
Source: Resource Groups Tagging API reference, GetResources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runner.aws.inventory import account, compute, domains, edge, stored
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.names import Names
from runner.plan.inventory import Thing, What
from runner.together import at_once

LOOKS = 8  # at once
List = Callable[[Aws, Names], Iterator[Thing]]

LISTS: tuple[tuple[frozenset[What], List], ...] = (
    (frozenset({What.RULE}), compute.rules),
    (frozenset({What.ALARM}), compute.alarms),
    (frozenset({What.SCHEDULE_GROUP, What.SCHEDULE}), compute.schedules),
    (frozenset({What.DNS_RECORD}), domains.records),
    (frozenset({What.DISTRIBUTION}), edge.distributions),
    (frozenset({What.CERTIFICATE}), domains.certificates),
    (frozenset({What.EDGE}), edge.programs),
    (frozenset({What.STORE, What.KEY}), edge.stores),
    (frozenset({What.ACCESS}), edge.accesses),
    (frozenset({What.CACHE_POLICY, What.FORWARD_POLICY}), edge.policies),
    (frozenset({What.API, What.API_STAGE, What.SPARE_DEPLOYMENT}), compute.apis),
    (frozenset({What.APPLICATION, What.DEPLOYMENT_GROUP}), compute.applications),
    (frozenset({What.DEPLOYMENT_CONFIG}), account.configurations),
    (
        frozenset({What.FUNCTION, What.VERSION, What.ALIAS, What.FUNCTION_URL}),
        compute.functions,
    ),
    (frozenset({What.QUEUE}), compute.queues),
    (frozenset({What.ROLE}), account.roles),
    (frozenset({What.POLICY}), account.policies),
    (frozenset({What.LOG_GROUP}), compute.log_groups),
    (frozenset({What.BUCKET, What.OBJECTS}), stored.buckets),
    (frozenset({What.TABLE}), stored.tables),
    (frozenset({What.STACK}), account.stacks),
    (frozenset({What.OTHER}), account.others),
)


def things(aws: Aws, names: Names) -> tuple[Thing, ...]:
    """All that bears our names or tags, in the order of the kinds."""
    order = list(What)

    def look(list_: List) -> tuple[Thing, ...]:
        with explained():
            return tuple(list_(aws, names))

    with at_once(LOOKS) as pool:
        found = [thing for some in pool.map(look, (each for _, each in LISTS)) for thing in some]
    return tuple(sorted(found, key=lambda each: (order.index(each.kind), each.of, each.name)))
