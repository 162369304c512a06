"""What is deleted or changed by hand is found by `doctor`, and mended by the next deploy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from runner.errors import JamError
from runner.local.cloud import Cloud
from tests.drift_site import SPEED, Site

NOTES = "jam-drift-production-notes"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patch, Cloud(speed=SPEED) as cloud:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        yield Site(cloud, tmp_path_factory.mktemp("drift"))


def test_a_healthy_site_is_well_and_a_deploy_of_it_stays_at_four_calls(site: Site) -> None:
    health = site.doctor()
    assert health.is_well, [each.message for each in health.remarks if each.is_wrong]
    site.watched()
    outcome = site.deploy()
    assert (outcome.outcome, outcome.calls, site.writes) == ("unchanged", 4, [])
    outcome = site.deploy(repair=True)
    assert (outcome.outcome, site.writes) == ("unchanged", [])


Hand = Callable[[Site], object]


def _api(site: Site) -> None:
    site.aws.api.delete_api(ApiId=site.api)


def _stage(site: Site) -> None:
    stage = site.aws.api.get_stages(ApiId=site.api)["Items"][0]["StageName"]
    site.aws.api.delete_stage(ApiId=site.api, StageName=stage)


def _role(site: Site, role: str) -> None:
    iam = site.aws.roles
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=policy)
    iam.delete_role(RoleName=role)


def _rights(site: Site) -> None:
    wild = {"Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}  # fmt: skip
    site.aws.roles.put_role_policy(
        RoleName=site.names.entry_role, PolicyName="jam", PolicyDocument=json.dumps(wild)
    )


def _trust(site: Site) -> None:
    anyone = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"},
         "Action": "sts:AssumeRole"}]}  # fmt: skip
    site.aws.roles.update_assume_role_policy(
        RoleName=site.names.api_role, PolicyDocument=json.dumps(anyone)
    )


def _alias(site: Site) -> None:
    code = {"FunctionName": site.names.entry}
    site.aws.functions.update_function_configuration(**code, MemorySize=512)
    waiter = site.aws.functions.get_waiter("function_updated_v2")
    waiter.wait(**code, WaiterConfig={"Delay": 1})
    version = site.aws.functions.publish_version(**code)["Version"]
    site.aws.functions.update_alias(**code, Name="live", FunctionVersion=version)


def _function(site: Site, name: str) -> None:
    site.aws.functions.delete_function(FunctionName=name)


def _hello(site: Site) -> str:
    return site.names.function("hello")


def _off(site: Site) -> None:
    site.aws.functions.put_function_concurrency(
        FunctionName=_hello(site), ReservedConcurrentExecutions=0
    )


def _entry_off(site: Site) -> None:
    site.aws.functions.put_function_concurrency(
        FunctionName=site.names.entry, ReservedConcurrentExecutions=0
    )


def _no_policy(site: Site) -> None:
    site.aws.s3.delete_bucket_policy(Bucket=site.names.bucket)


def _other_policy(site: Site) -> None:
    found = json.loads(site.aws.s3.get_bucket_policy(Bucket=site.names.bucket)["Policy"])
    found["Statement"] = found["Statement"][:1]
    site.aws.s3.put_bucket_policy(Bucket=site.names.bucket, Policy=json.dumps(found))


def _public(site: Site) -> None:
    site.aws.s3.delete_public_access_block(Bucket=site.names.bucket)


def _changed(site: Site, change: Callable[[dict], object]) -> None:  # type: ignore[type-arg]
    edge = site.aws.edge
    (one,) = edge.list_distributions()["DistributionList"]["Items"]
    now = edge.get_distribution_config(Id=one["Id"])
    config = now["DistributionConfig"]
    change(config)  # type: ignore[arg-type]
    edge.update_distribution(Id=one["Id"], IfMatch=now["ETag"], DistributionConfig=config)


def _disabled(site: Site) -> None:
    _changed(site, lambda config: config.update(Enabled=False))


def _no_paths(site: Site) -> None:
    _changed(site, lambda config: config.update(CacheBehaviors={"Quantity": 0}))


def _no_router(site: Site) -> None:
    def without(config: dict) -> None:  # type: ignore[type-arg]
        config["DefaultCacheBehavior"]["FunctionAssociations"] = {"Quantity": 0}

    _changed(site, without)


def _program(site: Site) -> None:
    edge, name = site.aws.edge, site.names.router
    now = edge.describe_function(Name=name, Stage="DEVELOPMENT")
    config = now["FunctionSummary"]["FunctionConfig"]
    code = b"function handler(event) { return event.request; }"
    etag = edge.update_function(
        Name=name, IfMatch=now["ETag"], FunctionConfig=config, FunctionCode=code
    )["ETag"]
    edge.publish_function(Name=name, IfMatch=etag)


def _keys(site: Site, *, but: str = "") -> None:
    store, values = site.store, site.aws.values
    listed = [each["Key"] for each in values.list_keys(KvsARN=store)["Items"]]
    etag = values.describe_key_value_store(KvsARN=store)["ETag"]
    gone = [{"Key": each} for each in listed if each != but]
    values.update_keys(KvsARN=store, IfMatch=etag, Deletes=gone)  # type: ignore[arg-type]


def _live_key(site: Site) -> None:
    store, values = site.store, site.aws.values
    etag = values.describe_key_value_store(KvsARN=store)["ETag"]
    values.put_key(KvsARN=store, IfMatch=etag, Key="live", Value="oops")


def _log_group(site: Site) -> None:
    site.aws.logs.delete_log_group(logGroupName=f"/aws/lambda/{_hello(site)}")


def _entry_log(site: Site) -> None:
    site.aws.logs.delete_log_group(logGroupName=f"/aws/lambda/{site.names.entry}")


def _schedule(site: Site) -> None:
    name = site.names.function("tick")
    site.aws.schedules.delete_schedule(Name=name, GroupName=site.names.schedules)


def _schedule_off(site: Site) -> None:
    name = site.names.function("tick")
    found = site.aws.schedules.get_schedule(Name=name, GroupName=site.names.schedules)
    kept = ("Name", "GroupName", "FlexibleTimeWindow", "Target")
    wanted = {key: found[key] for key in kept}
    site.aws.schedules.update_schedule(**wanted, ScheduleExpression="rate(7 days)")


def _group(site: Site) -> None:
    site.aws.schedules.delete_schedule_group(Name=site.names.schedules)


def _queue(site: Site) -> None:
    url = site.aws.queues.get_queue_url(QueueName=site.names.dead_letters)["QueueUrl"]
    site.aws.queues.delete_queue(QueueUrl=url)


def _alarm(site: Site) -> None:
    site.aws.metrics.delete_alarms(AlarmNames=[site.names.dead_letters])


def _rule(site: Site) -> None:
    rule = site.names.guard_clock
    site.aws.rules.remove_targets(Rule=rule, Ids=["guard"])
    site.aws.rules.delete_rule(Name=rule)


def _word(site: Site) -> None:
    site.aws.rules.disable_rule(Name=site.names.guard_word)


def _guard_code(site: Site) -> None:
    found = site.aws.functions.get_function(FunctionName=site.names.entry)
    assert found
    site.aws.functions.update_function_configuration(
        FunctionName=site.names.guard, Description="by hand", Timeout=3
    )


def _deployments(site: Site) -> None:
    site.aws.deployments.delete_application(applicationName=site.names.application)


def _deployment_group(site: Site) -> None:
    site.aws.deployments.delete_deployment_group(
        applicationName=site.names.application, deploymentGroupName="production"
    )


def _page(site: Site) -> None:
    key = f"production/releases/{site.release.id}/index.html"
    site.aws.s3.delete_object(Bucket=site.names.bucket, Key=key)


def _other_page(site: Site) -> None:
    key = f"production/releases/{site.release.id}/index.html"
    site.aws.s3.put_object(Bucket=site.names.bucket, Key=key, Body=b"by hand")


def _manifest(site: Site) -> None:
    key = f"production/releases/{site.release.id}/~release.json"
    site.aws.s3.delete_object(Bucket=site.names.bucket, Key=key)


def _url_open(site: Site) -> None:
    site.aws.functions.update_function_url_config(
        FunctionName=site.names.entry, Qualifier="live", AuthType="NONE"
    )


def _url_gone(site: Site) -> None:
    site.aws.functions.delete_function_url_config(
        FunctionName=site.names.function("flow"), Qualifier="live"
    )


def _letters(site: Site) -> None:
    configs = site.aws.functions.list_function_event_invoke_configs(
        FunctionName=site.names.function("work")
    )["FunctionEventInvokeConfigs"]
    site.aws.functions.delete_function_event_invoke_config(
        FunctionName=site.names.function("work"),
        Qualifier=configs[0]["FunctionArn"].rpartition(":")[2],
    )


def _unprotected(site: Site) -> None:
    site.aws.records.update_table(TableName=NOTES, DeletionProtectionEnabled=False)


def _access(site: Site) -> None:
    edge = site.aws.edge
    listed = edge.list_origin_access_controls()["OriginAccessControlList"]["Items"]
    one = next(each for each in listed if each["Name"] == site.names.files_access)
    now = edge.get_origin_access_control(Id=one["Id"])
    config = now["OriginAccessControl"]["OriginAccessControlConfig"]
    config["SigningBehavior"] = "never"
    edge.update_origin_access_control(
        Id=one["Id"], IfMatch=now["ETag"], OriginAccessControlConfig=config
    )


def _no_role(site: Site) -> None:
    _role(site, site.names.entry_role)


def _no_hello(site: Site) -> None:
    _function(site, _hello(site))


def _no_entry(site: Site) -> None:
    _function(site, site.names.entry)


def _no_acceptor(site: Site) -> None:
    _function(site, site.names.acceptor)


def _no_guard(site: Site) -> None:
    _function(site, site.names.guard)


# What a hand did, and a part of each finding that it has to lead to.
HANDS: tuple[tuple[Hand, tuple[str, ...]], ...] = (
    (_api, ("HTTP API jam-drift: missing", "api_stage")),
    (_stage, ("api_stage",)),
    (_no_role, ("role jam-drift-entry: missing",)),
    (_rights, ("role jam-drift-entry: changed",)),
    (_trust, ("role jam-drift-api: changed",)),
    (_alias, ("alias jam-drift-entry:live: changed",)),
    (_no_hello, ("function version jam-drift--hello",)),
    (_no_entry, ("function version jam-drift-entry",)),
    (
        _no_acceptor,
        ("function jam-drift-background: missing",),
    ),
    (_off, ("function jam-drift--hello",)),
    (_entry_off, ("function jam-drift-entry: changed",)),
    (_no_policy, ("bucket jam-drift",)),
    (_other_policy, ("bucket jam-drift",)),
    (_public, ("bucket jam-drift",)),
    (_disabled, ("distribution jam-drift: changed",)),
    (_no_paths, ("distribution jam-drift: changed",)),
    (_no_router, ("distribution jam-drift: changed",)),
    (_program, ("CloudFront function jam-drift-router: changed",)),
    (_keys, ("key of the key value store live: missing", "key of the key value store r/")),
    (_live_key, ("key of the key value store live: changed",)),
    (_log_group, ("function jam-drift--hello",)),
    (_entry_log, ("function jam-drift-entry: changed",)),
    (_schedule, ("schedule jam-drift--tick",)),
    (_schedule_off, ("schedule jam-drift--tick",)),
    (_group, ("schedule group jam-drift: missing",)),
    (_queue, ("queue jam-drift-dead-letters: missing",)),
    (_alarm, ("queue jam-drift-dead-letters: changed",)),
    (_rule, ("function jam-drift-guard",)),
    (_word, ("function jam-drift-guard",)),
    (_guard_code, ("function jam-drift-guard",)),
    (_no_guard, ("function jam-drift-guard: missing",)),
    (_deployments, ("CodeDeploy application jam-drift: missing",)),
    (_deployment_group, ("CodeDeploy application jam-drift: changed",)),
    (_page, ("objects",)),
    (_other_page, ("objects",)),
    (_manifest, ("objects",)),
    (_url_open, ("function jam-drift-entry: changed",)),
    (_url_gone, ("function jam-drift--flow",)),
    (_letters, ("function version jam-drift--work",)),
    (_unprotected, (f"table {NOTES}: changed",)),
    (_access, ("origin access control jam-drift-files: changed",)),
)


# Batches of what does not hide one another: an API that is gone has no api_stage to change.
BATCHES = {
    "what everything stands on": (
        _api, _rights, _trust, _other_policy, _public, _page, _schedule, _alarm, _rule, _log_group,
        _disabled, _url_open, _unprotected, _access,
    ),
    "what belongs to it": (
        _stage, _no_role, _no_policy, _other_page, _schedule_off, _queue, _word, _program,
        _no_paths, _no_router, _keys, _entry_log, _off,
    ),
    "functions": (
        _no_hello, _no_entry, _no_acceptor, _no_guard, _group, _deployments, _manifest,
    ),
    "pointers": (
        _alias, _live_key, _guard_code, _deployment_group, _url_gone, _letters,
        _entry_off,
    ),
}  # fmt: skip


def test_every_hand_is_in_a_batch() -> None:
    assert {hand for batch in BATCHES.values() for hand in batch} == {hand for hand, _ in HANDS}


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)
def test_what_hands_did_is_named_by_doctor_and_mended_by_the_next_deploy(
    site: Site, batch: tuple[Hand, ...]
) -> None:
    for hand in batch:
        hand(site)
    _is_named_and_mended(site, *(wanted for hand in batch for wanted in dict(HANDS)[hand]))


@pytest.mark.hunt
@pytest.mark.parametrize(
    ("hand", "findings"),
    HANDS,
    ids=[hand.__name__ for hand, _ in HANDS],
)
def test_what_one_hand_did_is_named_by_doctor_and_mended_by_the_next_deploy(
    site: Site, hand: Hand, findings: tuple[str, ...]
) -> None:
    hand(site)
    _is_named_and_mended(site, *findings)


def _is_named_and_mended(site: Site, *findings: str) -> None:
    found = site.found
    missing = [each for each in findings if not any(one.startswith(each) for one in found)]
    assert missing == [], found
    assert site.deploy().outcome == "live"
    assert site.found == []
    assert b"<h1>one</h1>" in site.visit().body
    assert site.visit("/.functions/hello").body == b"hello"
    assert site.visit("/.functions/flow").body == b"hello"
    assert site.visit("/nothing").status == 404


SEEN = (_disabled, _page)
SEEN_TOO = (_api, _no_router, _keys, _no_hello)


@pytest.mark.parametrize(
    "hand", [*SEEN, *(pytest.param(each, marks=pytest.mark.hunt) for each in SEEN_TOO)]
)
def test_what_visitors_do_not_get_is_noticed_by_a_deploy_that_has_nothing_to_do(
    site: Site, hand: Hand
) -> None:
    hand(site)
    assert site.deploy().outcome == "live"
    assert any("visitors do not get" in each for each in site.watcher.notes)
    assert site.found == []
    assert site.deploy().calls == 4


def test_a_table_that_is_gone_is_named_and_never_made_again_empty_by_itself(site: Site) -> None:
    tables = site.aws.records
    tables.update_table(TableName=NOTES, DeletionProtectionEnabled=False)
    tables.delete_table(TableName=NOTES)
    health = site.doctor()
    assert [str(each.state) for each in health.drift.findings] == ["lost"]
    for repair in (True, False):  # the first left a mark
        site.watched()
        with pytest.raises(JamError) as caught:
            site.deploy(repair=repair)
        assert (caught.value.code, int(caught.value.turn)) == ("JAM-DRIFT", 3)
        assert NOTES in caught.value.problems[0].message
        assert "restore-table-from-backup" in caught.value.hint
        assert "CreateTable" not in site.writes
    assert site.deploy(empty_tables=frozenset({"notes"})).outcome == "live"
    assert site.found == []
