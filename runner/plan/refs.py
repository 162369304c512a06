"""Typed references: how an id that AWS picks reaches a later step, without being decided upon."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Made(StrEnum):
    """What steps make and later steps need."""

    RECORDS = "records"  # the records table
    RECORD = "record"  # this release's record
    BUCKET = "bucket"
    ROLE = "role"  # value: ARN
    ACCESS = "access"  # value: id of an origin access control
    POLICY = "policy"  # value: id of a cache or origin request policy
    STORE = "store"  # value: ARN of the KeyValueStore
    EDGE = "edge"  # value: ARN of a CloudFront Function
    API = "api"  # value: id of the HTTP API
    KEEPER = "keeper"  # value: the function's name
    TABLE = "table"  # one of the site's own tables
    DEAD_LETTERS = "dead-letters"  # value: ARN of the queue
    SCHEDULE_GROUP = "schedule-group"  # value: its name
    VERSION = "version"  # value: number of a published function version
    ENTRY_URL = "entry-url"  # value: domain of the entry's function URL
    STREAMS = "streams"  # the record of what has a function URL of its own
    STREAM_URL = "stream-url"  # value: domain of a streaming function's URL
    DISTRIBUTION = "distribution"  # value: id
    DOMAIN = "domain"  # value: the distribution's domain
    CERTIFICATE = "certificate"  # value: ARN
    PROOF = "proof"  # value: whether all records that prove the names are in this account
    ALIASES = "aliases"  # the site's own names in the distribution, as far as they may be
    HOST = "host"  # value: where visitors find the site
    DEPLOYMENTS = "deployments"  # CodeDeploy's application and group
    GUARD = "guard"  # the function that judges rollouts, and its rules
    FILES = "files"  # the release's objects, whole
    MANIFEST = "manifest"
    API_STAGE = "api-stage"
    REVISION = "revision"  # value: of the alias, or the store, as it was read under the lease
    ROUTING = "routing"  # value: when it was written, in seconds of the epoch


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """One thing made, by kind and, where there are several, by name."""

    kind: Made
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".strip()


Refs = tuple[Ref, ...]
