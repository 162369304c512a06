"""What other hands do to an account: change, delete and plant; and which release is live there."""

from __future__ import annotations

import json
from typing import Any

from runner.aws import api_room, entry, keyvalues, records
from runner.plan.refs import Made
from tests.labs.site import Site

HANDS = ("alias", "live", "routing", "function", "api_stage", "object")  # what somebody changes
FOREIGN = "not-ours"


def live(site: Site) -> tuple[str, str, str]:
    """The live release by the record, by the store and by the alias."""
    found = records.read(site.aws, site.names, release="")
    assert found
    there = found[0]
    _, staged = records.read(site.aws, site.names, release=there.release) or (there, None)
    version = entry.find_alias(site.aws, site.names)
    is_entry = staged is not None and staged.entry == version
    stored = keyvalues.live_release(site.aws, there.ids[Made.STORE]) or ""
    return there.release, stored, there.release if is_entry else f"version {version}"


def is_watched(site: Site) -> bool:
    """Whether the guard is woken every minute."""
    found = site.aws.rules.list_rules(NamePrefix=site.names.guard_clock)["Rules"]
    return any(each["State"] == "ENABLED" for each in found)


def by_hand(site: Site, what: str) -> None:
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
    elif what == "api_stage":
        api_room.drop_stage(aws, found[0].ids[Made.API], api_stage=found[0].stages[-1][0])
    elif what == "object":
        key = f"production/releases/{found[0].release}/app.css"
        aws.s3.delete_object(Bucket=names.bucket, Key=key)
    else:
        site.meddle()


def _write(aws: Any, store: str, key: str, value: str) -> None:
    etag = aws.values.describe_key_value_store(KvsARN=store)["ETag"]
    aws.values.put_key(KvsARN=store, Key=key, Value=value, IfMatch=etag)


def plant(site: Site) -> None:
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


def foreign(site: Site) -> list[str]:
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
