"""The whole line from a plan to AWS, on the embedded cloud: first deploy, update, nothing, back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from runner.aws import distributions, keyvalues, records
from runner.aws.bootstrap import bootstrap
from runner.aws.live import check_bootstrap, read_live
from runner.errors import JamError
from runner.local.cloud import Cloud
from runner.local.faults import Fault
from runner.names import ALIAS, Names
from runner.plan.decide import KEPT_STAGES
from runner.plan.publishing import STORE_REVISION
from runner.plan.refs import Made, Ref
from runner.plan.releasing import DropApiStage
from runner.plan.steps import Plan
from tests.aws_site import Deployer, a_release, an_account


@pytest.fixture(scope="module")
def one_cloud() -> Iterator[Cloud]:
    with Cloud(speed=50.0) as cloud:
        yield cloud


@pytest.fixture
def cloud(one_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    one_cloud.reset()
    return one_cloud


@pytest.fixture
def site(cloud: Cloud) -> Deployer:
    aws = an_account(cloud)
    bootstrap(aws, lambda _line: None)
    return Deployer(aws, Names("notes", aws.account, aws.region))


def live_value(site: Deployer, store: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(keyvalues.get(site.aws, store, key="live") or "{}")
    return found


def test_a_first_deploy_ends_with_the_release_live(site: Deployer, tmp_path: Path) -> None:
    release = a_release(tmp_path)
    applied = site.deploy(release)
    assert live_value(site, applied.known[Ref(Made.STORE)])["live"] == release.id
    alias = site.aws.functions.get_alias(FunctionName=site.names.entry, Name=ALIAS)
    assert alias["FunctionVersion"] == "1"
    assert site.plan(release).is_empty


def test_a_release_that_is_live_costs_four_calls_and_no_write(
    cloud: Cloud, site: Deployer, tmp_path: Path
) -> None:
    release = a_release(tmp_path)
    site.deploy(release)
    before = cloud.journal.last
    again = Deployer(an_account(cloud), site.names)
    assert again.aws.account == site.names.account
    assert again.plan(release).is_empty
    assert [entry.name for entry in cloud.journal.writes(since=before)] == []
    assert len(cloud.journal.entries(since=before)) <= 4
    assert again.aws.calls <= 4


def test_a_changed_page_touches_neither_functions_nor_foundation(
    cloud: Cloud, site: Deployer, tmp_path: Path
) -> None:
    site.deploy(a_release(tmp_path))
    before = cloud.journal.last
    changed = a_release(tmp_path, page="two")
    site.deploy(changed)
    written = {entry.name for entry in cloud.journal.writes(since=before)}
    assert not {name for name in written if name.startswith(("cloudfront:", "iam:", "apigateway"))}
    assert cloud.journal.count("lambda", "UpdateFunctionCode", since=before) == 1  # the entry's
    assert cloud.journal.count("s3", "CopyObject", since=before) == 1
    assert site.plan(changed).is_empty


def test_a_changed_function_gets_a_version_and_an_api_stage(
    cloud: Cloud, site: Deployer, tmp_path: Path
) -> None:
    site.deploy(a_release(tmp_path))
    changed = a_release(tmp_path, code="two")
    applied = site.deploy(changed)
    assert applied.known[Ref(Made.VERSION, "notes/[id]")] == "2"
    api = applied.known[Ref(Made.API)]
    stages = site.aws.api.get_stages(ApiId=api)["Items"]
    assert changed.routing.api_stage in {stage["StageName"] for stage in stages}
    assert len(stages) == 2


def test_going_back_needs_no_upload_and_no_version(
    cloud: Cloud, site: Deployer, tmp_path: Path
) -> None:
    first = a_release(tmp_path)
    site.deploy(first)
    site.deploy(a_release(tmp_path, page="two", code="two"))
    before = cloud.journal.last
    applied = site.deploy(first)
    assert cloud.journal.count("s3", "PutObject", since=before) == 0
    assert cloud.journal.count("lambda", "UpdateFunctionCode", since=before) == 0
    assert live_value(site, applied.known[Ref(Made.STORE)])["live"] == first.id
    assert site.plan(first).is_empty


def test_every_step_can_be_repeated(cloud: Cloud, site: Deployer, tmp_path: Path) -> None:
    release = a_release(tmp_path)
    todo = site.plan(release)
    first = site.perform(todo, release)
    before = cloud.journal.last
    again = site.perform(todo, release)
    # When the routing was written is all that a second time may change, and so the store's ETag.
    written = dict.fromkeys((Ref(Made.ROUTING), STORE_REVISION), "")
    assert {**again.known, **written} == {**first.known, **written}
    writes = cloud.journal.writes(since=before)
    made = {entry.operation for entry in writes if entry.status < 300}
    assert not {name for name in made if name.startswith(("Create", "Publish", "UpdateFunction"))}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "lost"},
        {"kind": "reset"},
        {"kind": "throttle"},
        {"kind": "error"},
        {"kind": "error", "after": True},
    ],
    ids=str,
)
def test_a_first_deploy_survives_that_every_write_fails_once(
    cloud: Cloud, site: Deployer, tmp_path: Path, fault: dict[str, Any]
) -> None:
    release = a_release(tmp_path)
    start = cloud.journal.last
    site.deploy(release)
    writes = {(entry.service, entry.operation) for entry in cloud.journal.writes(since=start)}
    cloud.reset()
    bootstrap(site.aws, lambda _line: None)
    for service, operation in sorted(writes):
        cloud.faults.add(Fault(**fault, service=service, operation=operation))
    site.deploy(release)
    assert cloud.faults.listed() == []
    assert site.plan(release).is_empty
    versions = site.aws.functions.list_versions_by_function(FunctionName=site.names.entry)
    assert [each["Version"] for each in versions["Versions"]] == ["$LATEST", "1"]
    assert len(site.aws.api.get_apis()["Items"]) == 1
    assert site.aws.edge.list_distributions()["DistributionList"]["Quantity"] == 1


def test_api_stages_of_runs_that_never_tidied_up_do_not_use_up_the_quota(
    site: Deployer, tmp_path: Path
) -> None:
    for number in range(13):
        release = a_release(tmp_path, code=str(number))
        todo = site.plan(release)
        if number % 2:  # the run ended before the switch, or before it settled
            site.perform(todo.staging, release)
        else:
            site.perform(Plan(stage=todo.stage, switch=todo.switch), release)
    api = site.aws.api.get_apis()["Items"][0]["ApiId"]
    stages = {each["StageName"] for each in site.aws.api.get_stages(ApiId=api)["Items"]}
    assert release.routing.api_stage in stages
    store = str(keyvalues.find(site.aws, site.names))
    keys = site.aws.values.list_keys(KvsARN=store, MaxResults=50)["Items"]
    routed = {json.loads(each["Value"])["s"] for each in keys if each["Key"].startswith("r/")}
    assert routed <= stages  # a function whose release lost its api_stage goes to live's


def test_a_lost_answer_to_the_record_is_no_conflict(
    cloud: Cloud, site: Deployer, tmp_path: Path
) -> None:
    first, second = a_release(tmp_path), a_release(tmp_path, page="two")
    site.deploy(first)
    todo = site.plan(second)
    site.perform(todo, second)
    site.perform(todo, second)  # as if the first answer had been lost
    assert site.plan(second).is_empty


def test_a_run_that_was_overtaken_does_not_record_its_release(
    site: Deployer, tmp_path: Path
) -> None:
    first, overtaken, newer = (a_release(tmp_path, page=page) for page in ("1", "2", "3"))
    site.deploy(first)
    todo = site.plan(overtaken)
    site.deploy(newer)
    with pytest.raises(JamError) as raised:
        site.perform(todo, overtaken)
    assert raised.value.code == "JAM-SUPERSEDED"


def test_an_unprepared_account_is_named_before_the_first_write(
    cloud: Cloud, tmp_path: Path
) -> None:
    aws = an_account(cloud)
    names = Names("notes", aws.account, aws.region)
    site = Deployer(aws, names)
    before = cloud.journal.last
    live = read_live(aws, names, release="r", foundation=site.foundation)
    with pytest.raises(JamError) as raised:
        check_bootstrap(aws, names, live=live, foundation=site.foundation)
    assert raised.value.code == "JAM-BOOTSTRAP"
    assert "iam:CreateRole" in raised.value.message
    assert "bootstrap" in raised.value.hint
    assert [entry.name for entry in cloud.journal.writes(since=before)] == []


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("dynamodb", "BatchGetItem"),
        ("s3", "GetBucketLocation"),
        ("iam", "GetRole"),
        ("lambda", "GetFunctionUrlConfig"),
        ("cloudfront", "ListDistributions"),
    ],
)
def test_a_denial_is_never_read_as_absence(
    cloud: Cloud, site: Deployer, service: str, operation: str
) -> None:
    said = f"User: x is not authorized to perform: {service}:{operation} on resource: y"
    cloud.faults.add(
        Fault(
            service=service,
            operation=operation,
            kind="error",
            code="AccessDenied",
            message=said,
            status=403,
        )
    )
    with pytest.raises(JamError) as raised:
        read_live(site.aws, site.names, release="r", foundation=site.foundation)
    assert raised.value.code == "JAM-DENIED"
    assert f"{service}:{operation}" in raised.value.message


def test_what_bears_our_name_but_not_our_tags_is_left_alone(site: Deployer, tmp_path: Path) -> None:
    site.aws.records.create_table(
        TableName=site.names.records,
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    with pytest.raises(JamError) as raised:
        site.deploy(a_release(tmp_path))
    assert raised.value.code == "JAM-NOT-OURS"
    assert site.names.records in raised.value.message


def test_writers_of_one_store_wait_for_each_other(site: Deployer) -> None:
    store = keyvalues.make(site.aws, site.names)
    puts = [{f"r/{writer}-{number}": "{}" for number in range(60)} for writer in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda keys: keyvalues.write(site.aws, store, puts=keys), puts))
    for keys in puts:
        assert all(keyvalues.get(site.aws, store, key=key) == "{}" for key in list(keys)[::20])


def test_keys_that_are_gone_already_can_be_dropped_again(site: Deployer) -> None:
    store = keyvalues.make(site.aws, site.names)
    keyvalues.write(site.aws, store, puts={"r/a": "{}", "r/b": "{}"})
    for _ in range(2):
        keyvalues.drop(site.aws, store, keys=["r/a", "r/never"])
    assert keyvalues.get(site.aws, store, key="r/a") is None
    assert keyvalues.get(site.aws, store, key="r/b") == "{}"


def test_keys_come_and_go_in_one_write_whatever_is_gone_already(site: Deployer) -> None:
    store = keyvalues.make(site.aws, site.names)
    keyvalues.write(site.aws, store, puts={"r/a": "{}", "r/b": "{}"})
    before = site.aws.calls
    keyvalues.write(site.aws, store, puts={"r/c": "{}"}, drops=["r/a"])
    assert site.aws.calls - before == 2  # its revision, and the write
    keyvalues.write(site.aws, store, puts={"r/d": "{}"}, drops=["r/a", "r/b"])
    assert set(keyvalues.contents(site.aws, store)) == {"r/c", "r/d"}


def test_a_key_that_comes_back_while_it_is_dropped_is_dropped(site: Deployer) -> None:
    """Refused for a key that is missing; once the store is listed somebody has brought it back."""
    store = keyvalues.make(site.aws, site.names)
    back = [lambda: keyvalues.write(site.aws, store, puts={"r/gone": "{}"})]

    def bring_back(**_: object) -> None:
        if back:
            back.pop()()

    site.aws.values.meta.events.register("before-call.*.ListKeys", bring_back)
    keyvalues.write(site.aws, store, puts={"r/new": "{}"}, drops=["r/gone"])
    assert not back
    assert set(keyvalues.contents(site.aws, store)) == {"r/new"}


def test_a_write_that_is_refused_for_what_it_puts_is_told_so(site: Deployer) -> None:
    store = keyvalues.make(site.aws, site.names)
    keyvalues.write(site.aws, store, puts={"r/a": "{}"})
    for drops in ([], ["r/a"], ["r/a", "r/never"]):
        with pytest.raises(site.aws.values.exceptions.ValidationException):
            keyvalues.write(site.aws, store, puts={"r/b": "x" * 1025}, drops=drops)
    assert set(keyvalues.contents(site.aws, store)) == {"r/a"}


def test_who_wrote_to_the_store_need_not_ask_for_its_revision_to_write_again(
    site: Deployer,
) -> None:
    store = keyvalues.make(site.aws, site.names)
    before = site.aws.calls
    told = keyvalues.write(site.aws, store, puts={f"r/{number}": "{}" for number in range(60)})
    assert site.aws.calls - before == 3  # the revision, 50 keys, 10 more upon what that answered
    keyvalues.write(site.aws, store, puts={"r/last": "{}"}, seen=told)
    assert site.aws.calls - before == 4
    assert len(keyvalues.contents(site.aws, store)) == 61
    assert keyvalues.write(site.aws, store, puts={}) == ""


def test_an_old_api_stage_is_dropped_with_its_routing(site: Deployer, tmp_path: Path) -> None:
    first = a_release(tmp_path)
    known = site.deploy(first).known
    second = a_release(tmp_path, code="two")
    site.deploy(second)
    stays = ((second.routing.api_stage, (second.id,)),)
    drop = DropApiStage(
        api_stages=(first.routing.api_stage,), stays=stays, sequence=2, releases=(first.id,)
    )
    for _ in range(2):
        site.perform(Plan(stage=(drop,)), second)
    stages = site.aws.api.get_stages(ApiId=known[Ref(Made.API)])["Items"]
    assert [stage["StageName"] for stage in stages] == [second.routing.api_stage]
    assert keyvalues.get(site.aws, known[Ref(Made.STORE)], key=f"r/{first.id}") is None


def test_an_api_stage_stays_where_a_newer_run_has_recorded_another_release(
    site: Deployer, tmp_path: Path
) -> None:
    first = a_release(tmp_path)
    known = site.deploy(first).known
    drop = DropApiStage(
        api_stages=(first.routing.api_stage,), stays=(), sequence=0, releases=(first.id,)
    )
    with pytest.raises(JamError) as raised:
        site.perform(Plan(stage=(drop,)), first)
    assert raised.value.code == "JAM-SUPERSEDED"
    assert site.aws.api.get_stages(ApiId=known[Ref(Made.API)])["Items"]
    assert keyvalues.get(site.aws, known[Ref(Made.STORE)], key=f"r/{first.id}")


def test_from_the_eighth_api_stage_on_each_deploy_drops_the_oldest_before_it_goes_live(
    site: Deployer, tmp_path: Path
) -> None:
    releases = [a_release(tmp_path, code=f"of {number}") for number in range(KEPT_STAGES + 1)]
    for each in releases:
        todo = site.plan(each)
        assert todo.settle == ()
        known = site.perform(todo, each).known
    stages = site.aws.api.get_stages(ApiId=known[Ref(Made.API)])["Items"]
    kept = {each.routing.api_stage for each in releases[1:]}
    assert {each["StageName"] for each in stages} == kept
    routed = keyvalues.contents(site.aws, known[Ref(Made.STORE)])
    assert {each for each in routed if each.startswith("r/")} == {
        f"r/{each.id}" for each in releases[1:]
    }
    assert site.plan(releases[-1]).is_empty
    found = records.read(site.aws, site.names, release="")
    assert found is not None
    assert {stage for stage, _ in found[0].stages} == kept
    led = {each["DeploymentId"] for each in stages}
    made = site.aws.api.get_deployments(ApiId=known[Ref(Made.API)])["Items"]
    assert {each["DeploymentId"] for each in made} == led


def test_nobody_counts_on_an_api_stage_that_a_deploy_began_to_drop_and_failed(
    cloud: Cloud, site: Deployer, tmp_path: Path
) -> None:
    first = a_release(tmp_path)
    site.deploy(first)
    second = a_release(tmp_path, code="two")
    known = site.deploy(second).known
    stays = ((second.routing.api_stage, (second.id,)),)
    drop = DropApiStage(
        api_stages=(first.routing.api_stage,), stays=stays, sequence=2, releases=(first.id,)
    )
    # It goes, and API Gateway says no; or no word of it is ever heard.
    fault = Fault(
        kind="error", service="apigatewayv2", operation="DeleteStage", after=True, status=403
    )
    cloud.faults.add(fault)
    with pytest.raises(JamError):
        site.perform(Plan(stage=(drop,)), second)
    assert cloud.faults.listed() == []
    assert f"create api_stage {first.routing.api_stage} with 1 functions" in [
        str(step) for step in site.plan(first)
    ]
    site.deploy(first)
    stages = site.aws.api.get_stages(ApiId=known[Ref(Made.API)])["Items"]
    assert first.routing.api_stage in {each["StageName"] for each in stages}


def test_somebody_elses_changes_to_the_distribution_stay(site: Deployer, tmp_path: Path) -> None:
    release = a_release(tmp_path)
    known = site.deploy(release).known
    distribution = known[Ref(Made.DISTRIBUTION)]
    found = site.aws.edge.get_distribution_config(Id=distribution)
    theirs = {**found["DistributionConfig"], "DefaultRootObject": "start.html", "Enabled": False}
    site.aws.edge.update_distribution(
        Id=distribution,
        IfMatch=found["ETag"],
        DistributionConfig=theirs,  # type: ignore[typeddict-item] # what it gave, changed
    )
    distributions.make(site.aws, site.names, known=known)
    now = site.aws.edge.get_distribution_config(Id=distribution)["DistributionConfig"]
    assert now["DefaultRootObject"] == "start.html"
    assert now["Enabled"] is True
