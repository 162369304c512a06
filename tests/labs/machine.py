"""All commands in any order, with crashes and hands that meddle: what must hold after each.

A visitor gets one release whole; record, store and alias agree; nothing is unexplained; what is not
ours is still there.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from runner.audit import audit
from runner.aws import entry, holds, keyvalues, records
from runner.local.cloud import Cloud
from runner.plan.live import Hold
from runner.plan.refs import Made
from runner.world import Way
from tests.labs.crash import Point, Wire
from tests.labs.rollouts import settled
from tests.labs.rollouts import settled
from tests.labs.site import LATER, Commit, Seen, Site

NOTHING = Seen("", "", "")
POINTS = st.builds(Point, st.integers(1, 60), st.booleans())
HANDS = ("alias", "live", "routing", "function")  # what somebody changes
FOREIGN = "not-ours"


class Commands(RuleBasedStateMachine):
    """`may` is what a visitor may get; `sure` says that the last command ended well."""

    cloud: Cloud

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.site = Site(self.cloud, Path(self.folder.name), strategy="canary")
        self.commits: list[Commit] = []
        self.may: list[Commit] = []
        self.number = 0
        self.open = self.held = self.drifted = self.gone = False
        self.sure = True
        _plant(self.site)

    def teardown(self) -> None:
        self.site.close()
        self.folder.cleanup()

    @rule(code=st.booleans(), rollout=st.booleans())
    def deploy(self, code: bool, rollout: bool) -> None:
        commit = self._commit(code)
        rollout = rollout and bool(self.may)
        outcome = self.site.deploy(
            commit, Wire(), way=Way(wait=False) if rollout else Way(now=True)
        )
        if self.held:
            assert outcome == "held", outcome
            return
        assert outcome == ("open" if rollout else "live"), outcome
        self._over([*self.may[:1], commit] if rollout else [commit], still_open=rollout)

    @rule(code=st.booleans(), point=POINTS)
    def die(self, code: bool, point: Point) -> None:
        commit = self._commit(code)
        outcome = self.site.deploy(commit, Wire(point), way=Way(now=True))
        if outcome == "live":
            self._over([commit])
        elif outcome == "crashed":
            self.may, self.sure, self.gone = [*self.may, commit], False, False
            self.site.sleep(LATER)

    @precondition(lambda self: self.commits and not self.gone and self.sure)
    @rule(which=st.integers(0, 3), hold=st.booleans())
    def rollback(self, which: int, hold: bool) -> None:
        to = self.commits[-1 - which % len(self.commits)]
        outcome = self.site.back(to, Wire(), hold=hold)
        assert outcome in ("live", "unchanged"), outcome
        self.held = self.held or hold
        if outcome == "live":
            self._over([to])

    @precondition(lambda self: self.commits and not self.gone)
    @rule()
    def hold(self) -> None:
        holds.put(self.site.aws, self.site.names, Hold(by="lab", why="", at=1))
        self.held = True

    @precondition(lambda self: self.held)
    @rule()
    def unhold(self) -> None:
        holds.drop(self.site.aws, self.site.names)
        self.held = False

    @precondition(lambda self: self.open)
    @rule()
    def promote(self) -> None:
        done = settled(self.site, promote=True)
        assert done.outcome in ("live", "rolled_back"), done.outcome
        self._over([each for each in self.may if self.site.release_of(each).id == done.release])

    @rule()
    def collect(self) -> None:
        assert self.site.collect(Wire()) == "collected"

    @precondition(lambda self: self.commits)
    @rule()
    def destroy(self) -> None:
        assert self.site.gone(Wire()) == "removed"
        assert not audit(self.site.aws, self.site.names).of_site
        self._over([])
        self.gone, self.held, self.commits = True, False, []

    @precondition(lambda self: self.sure and self.may and not self.open and not self.drifted)
    @rule(what=st.sampled_from(HANDS))
    def meddle(self, what: str) -> None:
        """By hand; visitors may suffer, until the next deploy."""
        self.drifted = True
        _by_hand(self.site, what)

    @invariant()
    def visitors_get_one_release_whole(self) -> None:
        if not self.drifted:
            shown = [Seen(each.page, each.page, each.code) for each in self.may]
            assert self.site.visit() in (shown or [NOTHING]), (self.site.visit(), shown)

    @invariant()
    def record_store_and_alias_agree(self) -> None:
        if self.may and self.sure and not self.open and not self.drifted:
            assert len(set(_live(self.site))) == 1, _live(self.site)

    @invariant()
    def everything_is_explained(self) -> None:
        if self.sure and not self.drifted:
            assert not audit(self.site.aws, self.site.names).unexplained

    @invariant()
    def what_is_not_ours_is_there(self) -> None:
        assert _foreign(self.site) == [FOREIGN] * 5

    def _commit(self, code: bool) -> Commit:
        self.number += 1
        before = self.may[0].code if self.may else "0"
        return Commit(
            page=str(self.number),
            code=str(self.number) if code else before,
            number=self.number,
        )

    def _over(self, may: list[Commit], *, still_open: bool = False) -> None:
        """A command went through: from now on visitors get one of `may`."""
        self.may, self.open = may, still_open
        self.sure, self.drifted, self.gone = True, False, False
        self.commits += [each for each in may[-1:] if each not in self.commits and not still_open]


def warmed(cloud: Cloud, folder: Path) -> None:
    """Everything is used once, so that no syntax tree is made under Hypothesis.

    It moves Python's recursion limit, which 3.11 takes amiss within `ast` (python/cpython#106905).
    """
    site = Site(cloud, folder, strategy="canary")
    for number, way in ((1, Way(now=True)), (2, Way(wait=False))):
        site.deploy(Commit(page=str(number), code=str(number), number=number), Wire(), way=way)
    _plant(site)
    _by_hand(site, "alias")
    _foreign(site)
    site.collect(Wire())
    settled(site, promote=True)
    site.gone(Wire())
    site.close()


def _live(site: Site) -> tuple[str, str, str]:
    """The live release by the record, by the store and by the alias."""
    found = records.read(site.aws, site.names, release="")
    assert found
    there = found[0]
    _, staged = records.read(site.aws, site.names, release=there.release) or (there, None)
    version = entry.find_alias(site.aws, site.names)
    is_entry = staged is not None and staged.entry == version
    stored = keyvalues.live_release(site.aws, there.ids[Made.STORE]) or ""
    return there.release, stored, there.release if is_entry else f"version {version}"


def _by_hand(site: Site, what: str) -> None:
    aws, names = site.aws, site.names
    found = records.read(aws, names, release="")
    assert found
    store = found[0].ids[Made.STORE]
    if what == "alias":
        versions = aws.functions.list_versions_by_function(FunctionName=names.entry)["Versions"]
        aws.functions.update_alias(
            FunctionName=names.entry, Name="live", FunctionVersion=versions[1]["Version"]
        )
    elif what == "live":
        _write(aws, store, "live", json.dumps({"v": 1, "live": "0" * 32, "r": {}}))
    elif what == "routing":
        _write(aws, store, f"r/{found[0].release}", "{}")
    else:
        site.meddle()


def _write(aws: Any, store: str, key: str, value: str) -> None:
    etag = aws.values.describe_key_value_store(KvsARN=store)["ETag"]
    aws.values.put_key(KvsARN=store, Key=key, Value=value, IfMatch=etag)


def _plant(site: Site) -> None:
    """Things of somebody else, of kinds that we remove."""
    aws = site.aws
    aws.s3.create_bucket(
        Bucket=FOREIGN, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    aws.logs.create_log_group(logGroupName=FOREIGN)
    aws.api.create_api(Name=FOREIGN, ProtocolType="HTTP")
    aws.roles.create_role(RoleName=FOREIGN, AssumeRolePolicyDocument=_TRUST)
    aws.records.create_table(
        TableName=FOREIGN,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def _foreign(site: Site) -> list[str]:
    aws = site.aws
    found = [
        *(each["Name"] for each in aws.s3.list_buckets()["Buckets"]),
        *(each["logGroupName"] for each in aws.logs.describe_log_groups()["logGroups"]),
        *(each["Name"] for each in aws.api.get_apis()["Items"]),
        *(each["RoleName"] for each in aws.roles.list_roles()["Roles"]),
        *aws.records.list_tables()["TableNames"],
    ]
    return [each for each in found if each == FOREIGN]


_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ec2.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
