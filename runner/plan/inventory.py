"""What there is of a site in its account, kind by kind, and which step makes which kind. Pure.

`audit` lists these kinds and `destroy` removes them in this order; a step without an entry here
would leave something behind that nobody looks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from runner.names import PRODUCTION
from runner.plan import (
    background,
    domains,
    foundation,
    origins,
    previewing,
    promotion,
    publishing,
    releasing,
    streaming,
)


class What(StrEnum):
    """The kinds, in the order in which `destroy` removes them.

    What wakes others goes first, then what visitors reach, then what that was made of; the bucket
    and the records are last, so that a run which ends early can be told from one that is done.
    """

    RULE = "EventBridge rule"
    ALARM = "CloudWatch alarm"
    SCHEDULE = "schedule"
    SCHEDULE_GROUP = "schedule group"
    DNS_RECORD = "DNS record"
    DISTRIBUTION = "distribution"
    CERTIFICATE = "certificate"
    EDGE = "CloudFront function"
    KEY = "key of the key value store"
    STORE = "key value store"
    ACCESS = "origin access control"
    CACHE_POLICY = "cache policy"
    FORWARD_POLICY = "origin request policy"
    API_STAGE = "api_stage"
    SPARE_DEPLOYMENT = "deployment without an api_stage"
    API = "HTTP API"
    DEPLOYMENT_GROUP = "CodeDeploy group"
    APPLICATION = "CodeDeploy application"
    DEPLOYMENT_CONFIG = "CodeDeploy configuration"
    FUNCTION_URL = "function URL"
    ALIAS = "alias"
    VERSION = "function version"
    FUNCTION = "function"
    QUEUE = "queue"
    ROLE = "role"
    POLICY = "IAM policy"
    LOG_GROUP = "log group"
    OBJECTS = "objects"
    BUCKET = "bucket"
    TABLE = "table"
    STACK = "CloudFormation stack"
    OTHER = "resource"  # bears our tag, and is of no kind that a step makes


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One resource. `name` is how people know it, `key` how AWS wants it named to remove it.

    `site` and `environment` are its tags, empty where it bears none; `of` names the resource that
    it is a part of (a version's function, an api_stage's API, the bucket of objects). `kept`: a
    table with data that `destroy` was not told to remove. `calls`: the acceptor's version that an
    api_stage names, `none`, or empty where it does not say.
    """

    kind: What
    name: str
    key: str = ""
    site: str = ""
    environment: str = ""
    of: str = ""
    kept: bool = False
    calls: str = ""

    @property
    def is_tagged(self) -> bool:
        return bool(self.site)


# Kinds whose resources bear tags: without ours, they are not ours. The others cannot bear any, or
# are parts of one that does.
TAGGED = frozenset(
    {
        What.RULE,
        What.ALARM,
        What.SCHEDULE_GROUP,
        What.DISTRIBUTION,
        What.CERTIFICATE,
        What.EDGE,
        What.STORE,
        What.API,
        What.DEPLOYMENT_GROUP,
        What.APPLICATION,
        What.FUNCTION,
        What.QUEUE,
        What.ROLE,
        What.LOG_GROUP,
        What.BUCKET,
        What.TABLE,
    }
)
# Of the account, used by every site in it: `destroy` leaves them.
SHARED = frozenset({What.DEPLOYMENT_CONFIG, What.POLICY, What.STACK})

_POINTERS: tuple[What, ...] = ()  # changes what exists; makes nothing

MADE_BY: Mapping[type, tuple[What, ...]] = {
    foundation.MakeRecords: (What.TABLE,),
    foundation.MakeBucket: (What.BUCKET,),
    foundation.MakeRole: (What.ROLE,),
    foundation.MakeAccess: (What.ACCESS,),
    foundation.MakePolicy: (What.CACHE_POLICY, What.FORWARD_POLICY),
    foundation.MakeStore: (What.STORE,),
    foundation.MakeEdge: (What.EDGE,),
    foundation.MakeApi: (What.API,),
    foundation.MakeKeeper: (What.FUNCTION, What.VERSION, What.LOG_GROUP, What.KEY),
    foundation.MakeTable: (What.TABLE,),
    foundation.MakeEntryUrl: (What.ALIAS, What.FUNCTION_URL),
    foundation.MakeDistribution: (What.DISTRIBUTION,),
    domains.MakeCertificate: (What.CERTIFICATE,),
    domains.ProveDomains: (What.DNS_RECORD,),
    domains.AttachDomains: _POINTERS,
    domains.PointDomains: (What.DNS_RECORD,),
    domains.DropDomains: _POINTERS,
    foundation.GrantFiles: _POINTERS,
    foundation.GrantEntry: _POINTERS,
    background.MakeDeadLetters: (What.QUEUE, What.ALARM),
    background.MakeScheduleGroup: (What.SCHEDULE_GROUP,),
    background.PublishAcceptor: (What.FUNCTION, What.VERSION, What.LOG_GROUP),
    background.PutSchedule: (What.SCHEDULE,),
    background.DropSchedule: _POINTERS,
    streaming.RecordStreams: _POINTERS,
    streaming.MakeStreamUrl: (What.ALIAS, What.FUNCTION_URL),
    streaming.GrantStream: _POINTERS,
    streaming.MoveStream: _POINTERS,
    streaming.DropStreams: _POINTERS,
    promotion.MakeDeployments: (What.APPLICATION, What.DEPLOYMENT_GROUP),
    promotion.MakeGuard: (What.FUNCTION, What.VERSION, What.LOG_GROUP, What.RULE),
    promotion.OpenRollout: (What.ALARM, What.DEPLOYMENT_CONFIG),
    origins.AllowOrigins: _POINTERS,
    previewing.TakeHost: (What.DISTRIBUTION,),
    previewing.CopyPublished: (What.OBJECTS,),
    previewing.AllowFunctions: _POINTERS,
    previewing.LeadStage: (What.API_STAGE,),
    previewing.Show: (What.KEY,),
    previewing.HideReleases: _POINTERS,
    previewing.LetGo: _POINTERS,
    releasing.RecordRelease: _POINTERS,
    releasing.PutFiles: (What.OBJECTS,),
    releasing.CopyFiles: (What.OBJECTS,),
    releasing.PutManifest: (What.OBJECTS,),
    releasing.GrantFunctions: (What.ROLE,),
    publishing.PublishFunction: (What.FUNCTION, What.VERSION, What.LOG_GROUP, What.OBJECTS),
    publishing.PublishEntry: (What.FUNCTION, What.VERSION, What.LOG_GROUP),
    publishing.AwaitVersions: _POINTERS,
    releasing.MakeApiStage: (What.API_STAGE, What.SPARE_DEPLOYMENT, What.LOG_GROUP),
    releasing.WriteRouting: (What.KEY,),
    releasing.BringBackRouting: (What.KEY,),
    releasing.RecordStaged: _POINTERS,
    releasing.MoveAlias: _POINTERS,
    releasing.Activate: (What.KEY,),
    releasing.RecordLive: _POINTERS,
    releasing.RecordFollowed: _POINTERS,
    releasing.DropApiStage: _POINTERS,
    releasing.TendFunction: (What.LOG_GROUP,),
}


def is_removable(thing: Thing, *, site: str, environment: str) -> bool:
    """Whether `destroy` may remove it: ours by its tags, or a part of what is.

    An empty `environment` means all of them.
    """
    if thing.kind in SHARED or thing.kind is What.OTHER:
        return False
    whose = thing.environment or PRODUCTION
    within = environment in ("", whose)
    return within and thing.site == site
