"""Removes what a site's names have: records first, certificates once nothing uses them.

A record is compared once more before it goes: what leads elsewhere by now is somebody else's.
"""

from __future__ import annotations

import json

from runner.aws import certificates, zones
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.aws.zones import Record, Zone
from runner.names import Names
from runner.plan.inventory import Thing

certificate = certificates.remove


def key_of(zone: Zone, record: Record) -> str:
    """How `record` finds it again."""
    return json.dumps([zone.id, zone.name, record.name, record.target, record.is_alias])


def record(aws: Aws, _: Names, thing: Thing) -> None:
    identity, zone, name, target, is_alias = json.loads(thing.key)
    with tolerating("NoSuchHostedZone"):
        wanted = Record(name=name, target=target, is_alias=is_alias)
        zones.drop(aws, Zone(id=identity, name=zone), wanted)
