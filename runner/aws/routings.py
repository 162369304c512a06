"""What the router has to know of kept releases: whether it does, and their manifests' word for it.

A release of which it knows nothing is served by live's functions, and without its headers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from runner.aws import kept, keyvalues, looks_at_files
from runner.aws.session import Aws
from runner.aws.written import Environment
from runner.names import Names
from runner.package.header_sets import header_set
from runner.plan.definition import routing_of
from runner.together import at_once

READS = 8  # at once


def unknown(
    aws: Aws, names: Names, *, there: Environment, keys: Mapping[str, str]
) -> tuple[str, ...]:
    """Kept releases but the live one that have no routing among the store's `keys`.

    One whose api_stage was dropped has none until it is activated or opened.
    """
    stages = dict(there.stages)
    return tuple(
        each.release
        for each in kept.releases(aws, names)
        if each.is_ready and not each.expired and f"r/{each.release}" not in keys
        if not each.api_stage or each.api_stage in stages or each.opened > aws.clock()
        if each.release != there.release
    )


def bring_back(aws: Aws, names: Names, *, store: str, releases: tuple[str, ...]) -> None:
    """Their routing and header sets, by the manifests; one without a manifest stays as it is."""
    with at_once(READS) as pool:
        read = partial(_keys, aws, names)
        puts = {key: value for told in pool.map(read, releases) for key, value in told.items()}
    if puts:
        keyvalues.write(aws, store, puts=dict(_sets_first(puts)))


def _keys(aws: Aws, names: Names, release: str) -> dict[str, str]:
    manifest = looks_at_files.manifest(aws, names, release=release)
    if manifest is None:
        return {}
    listed = manifest["headers"].values()
    sets = [header_set(tuple((name, value) for name, value in each)) for each in listed]
    return keyvalues.routing_keys(release, routing_of(manifest["routing"]), header_sets=sets)


def _sets_first(puts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield from sorted(puts.items())  # `h/` before `r/`: whoever reads the one finds the other
