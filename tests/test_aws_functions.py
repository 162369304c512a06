"""Publishing functions on the embedded cloud: one version for one code and settings, ever."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from runner.aws import roles
from runner.aws.bootstrap import bootstrap
from runner.aws.functions import publish, publish_ready
from runner.aws.session import Aws
from runner.aws.versions import Wanted
from runner.errors import JamError
from runner.local.cloud import Cloud
from runner.local.faults import Fault
from runner.names import Names
from runner.plan.background import Unattended
from runner.plan.foundation import Role
from tests.aws_site import an_account, zipped


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
def aws(cloud: Cloud) -> Aws:
    found = an_account(cloud)
    bootstrap(found, lambda _line: None)
    return found


@pytest.fixture
def names(aws: Aws) -> Names:
    return Names("notes", aws.account, aws.region)


@pytest.fixture
def wanted(aws: Aws, names: Names) -> Wanted:
    arn = roles.make(aws, names, role=Role.FUNCTIONS, unattended=Unattended())
    return with_code(
        Wanted(
            name=names.function("all"),
            role_arn=arn,
            runtime="nodejs22.x",
            handler="index.handler",
            architecture="arm64",
            memory=256,
            timeout=10,
            code_sha256="",
            size=0,
            archive=b"",
            environment={"GREETING": "hello"},
        ),
        "one",
    )


def with_code(wanted: Wanted, code: str) -> Wanted:
    archive = zipped("index.mjs", f"export const handler = async () => '{code}';")
    digest = base64.b64encode(hashlib.sha256(archive).digest()).decode()
    return replace(wanted, archive=archive, size=len(archive), code_sha256=digest)


def versions(aws: Aws, wanted: Wanted) -> list[str]:
    found = aws.functions.list_versions_by_function(FunctionName=wanted.name)["Versions"]
    return [each["Version"] for each in found if each["Version"] != "$LATEST"]


def test_the_same_function_is_published_once(aws: Aws, names: Names, wanted: Wanted) -> None:
    assert publish(aws, names, wanted=wanted) == "1"
    assert publish(aws, names, wanted=wanted) == "1"
    assert versions(aws, wanted) == ["1"]


def test_going_back_finds_the_old_version(aws: Aws, names: Names, wanted: Wanted) -> None:
    publish(aws, names, wanted=wanted)
    assert publish(aws, names, wanted=with_code(wanted, "two")) == "2"
    assert publish(aws, names, wanted=wanted) == "1"


def test_changed_code_alone_is_one_write(
    cloud: Cloud, aws: Aws, names: Names, wanted: Wanted
) -> None:
    publish(aws, names, wanted=wanted)
    before = cloud.journal.last
    publish(aws, names, wanted=with_code(wanted, "two"))
    written = [entry.operation for entry in cloud.journal.writes(since=before)]
    assert written == ["UpdateFunctionCode"]


def test_changed_settings_make_a_version_of_the_same_code(
    aws: Aws, names: Names, wanted: Wanted
) -> None:
    publish(aws, names, wanted=wanted)
    assert publish(aws, names, wanted=replace(wanted, memory=512)) == "2"
    found = aws.functions.get_function_configuration(FunctionName=wanted.name, Qualifier="2")
    assert (found["MemorySize"], found["CodeSha256"]) == (512, wanted.code_sha256)


def test_what_a_person_changed_by_hand_never_gets_into_a_version(
    aws: Aws, names: Names, wanted: Wanted
) -> None:
    publish_ready(aws, names, wanted=wanted)
    aws.functions.update_function_configuration(FunctionName=wanted.name, Timeout=3)
    version = publish(aws, names, wanted=with_code(wanted, "two"))
    found = aws.functions.get_function_configuration(FunctionName=wanted.name, Qualifier=version)
    assert found["Timeout"] == wanted.timeout


def test_two_runs_at_once_publish_one_version(aws: Aws, names: Names, wanted: Wanted) -> None:
    with ThreadPoolExecutor(4) as pool:
        numbers = set(pool.map(lambda _: publish(aws, names, wanted=wanted), range(4)))
    assert numbers == {"1"}
    assert versions(aws, wanted) == ["1"]


@pytest.mark.parametrize("operation", ["CreateFunction", "UpdateFunctionCode"])
def test_a_lost_answer_publishes_nothing_twice(
    cloud: Cloud, aws: Aws, names: Names, wanted: Wanted, *, operation: str
) -> None:
    if operation == "UpdateFunctionCode":
        publish(aws, names, wanted=wanted)
        wanted = with_code(wanted, "two")
    cloud.faults.add(Fault(kind="lost", service="lambda", operation=operation))
    number = publish(aws, names, wanted=wanted)
    assert versions(aws, wanted)[-1] == number
    assert len(versions(aws, wanted)) == int(number)


def test_a_function_of_somebody_else_is_left_alone(aws: Aws, names: Names, wanted: Wanted) -> None:
    other = replace(names, site="other")
    publish(aws, other, wanted=wanted)
    with pytest.raises(JamError) as raised:
        publish(aws, names, wanted=wanted)
    assert raised.value.code == "JAM-NOT-OURS"
    assert wanted.name in raised.value.message


def test_its_log_group_forgets(aws: Aws, names: Names, wanted: Wanted) -> None:
    publish(aws, names, wanted=wanted)
    groups = aws.logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{wanted.name}")
    assert [each["retentionInDays"] for each in groups["logGroups"]] == [30]
