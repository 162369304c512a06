"""Lambda's control plane: what AWS refuses, and what it keeps."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from runner.local.compute.functions import CREATING, UPDATING
from runner.local.compute.rules import NOT_EMULATED, RULES
from runner.local.wire import AwsError
from tests.compute_site import ACCOUNT, HELLO, OTHER, REGION, ROLE, Plane, zipped

ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"


@pytest.fixture
def plane(tmp_path: Path) -> Plane:
    return Plane(tmp_path)


def published(plane: Plane, *codes: bytes) -> None:
    """A function `f` with one version for each code."""
    plane.create(Code={"ZipFile": codes[0]}, Publish=True)
    for code in codes[1:]:
        plane("UpdateFunctionCode", FunctionName="f", ZipFile=code, Publish=True)
        plane.wait()


def test_a_new_function_is_pending_and_then_active(plane: Plane) -> None:
    plane("CreateFunction", FunctionName="f", Runtime="python3.13", Handler="a.b", Role=ROLE,
          Code={"ZipFile": HELLO})  # fmt: skip
    assert plane("GetFunctionConfiguration", FunctionName="f")["State"] == "Pending"
    assert plane.refusal("Invoke", FunctionName="f") == "ResourceConflictException"
    assert plane.refusal("PublishVersion", FunctionName="f") == "ResourceConflictException"
    plane.wait(CREATING)
    shown = plane("GetFunctionConfiguration", FunctionName="f")
    assert (shown["State"], shown["LastUpdateStatus"]) == ("Active", "Successful")


def test_an_update_in_progress_refuses_the_next_one_and_the_code_before_answers(
    plane: Plane,
) -> None:
    plane.create()
    made = plane("UpdateFunctionCode", FunctionName="f", ZipFile=OTHER)
    assert made["LastUpdateStatus"] == "InProgress"
    for operation in ("UpdateFunctionConfiguration", "PublishVersion"):
        assert plane.refusal(operation, FunctionName="f") == "ResourceConflictException"
    plane("Invoke", FunctionName="f")
    plane.wait(UPDATING)
    plane("Invoke", FunctionName="f")
    before, after = plane.pool.ran
    assert before.folder != after.folder


def test_a_role_that_lambda_cannot_assume_is_refused(plane: Plane) -> None:
    plane.roles.refused.add(ROLE)
    assert (
        plane.refusal("CreateFunction", FunctionName="f", Runtime="nodejs22.x", Handler="a.b",
                      Role=ROLE, Code={"ZipFile": HELLO})
        == "InvalidParameterValueException"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Runtime": "nodejs1.x"}, "InvalidParameterValueException"),
        ({"Runtime": ""}, "InvalidParameterValueException"),
        ({"Timeout": 901}, "ValidationException"),
        ({"Timeout": 0}, "ValidationException"),
        ({"MemorySize": 127}, "ValidationException"),
        ({"MemorySize": 10241}, "ValidationException"),
        ({"Role": "admin"}, "ValidationException"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException"),
        ({"Environment": {"Variables": {"1A": "x"}}}, "ValidationException"),
        ({"Environment": {"Variables": {"AB": "x" * 4090}}}, "InvalidParameterValueException"),
        ({"Code": {"ZipFile": b"no zip"}}, "InvalidParameterValueException"),
        ({"Code": {"ZipFile": zipped({})}}, "InvalidParameterValueException"),
        ({"Code": {"ZipFile": bytes(50 * 2**20 + 1)}}, "RequestEntityTooLargeException"),
        ({"Code": {}}, "InvalidParameterValueException"),
        ({"Code": {"ImageUri": "x"}}, "NotImplemented"),
        ({"FileSystemConfigs": [{"Arn": "x", "LocalMountPath": "/mnt/x"}]}, "NotImplemented"),
        ({"FunctionName": "a b"}, "ValidationException"),
    ],
)
def test_what_create_function_refuses(plane: Plane, change: dict[str, Any], code: str) -> None:
    with pytest.raises(AwsError) as caught:
        plane.create(**change)
    assert caught.value.code == code
    assert plane("ListFunctions")["Functions"] == []


def test_a_name_in_use_is_a_conflict(plane: Plane) -> None:
    plane.create()
    with pytest.raises(AwsError) as caught:
        plane.create()
    assert (caught.value.code, caught.value.status) == ("ResourceConflictException", 409)


def test_more_than_250_mb_unpacked_are_refused(plane: Plane) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(f"{number}.bin", bytes(50 * 2**20))
    with pytest.raises(AwsError, match="Unzipped size must be smaller than 262144000 bytes"):
        plane.create(Code={"ZipFile": out.getvalue()})


def test_code_from_s3_is_read_and_its_absence_is_told_in_s3s_words(plane: Plane) -> None:
    plane.objects["b", "k"] = HELLO
    plane.create(Code={"S3Bucket": "b", "S3Key": "k"})
    plane.create("direct")
    one, two = plane("ListFunctions")["Functions"]
    assert one["CodeSha256"] == two["CodeSha256"]


def test_unchanged_code_and_configuration_publish_no_new_version(plane: Plane) -> None:
    published(plane, HELLO)
    again = plane("UpdateFunctionCode", FunctionName="f", ZipFile=HELLO, Publish=True)
    plane.wait()
    assert again["Version"] == "1"
    assert plane("PublishVersion", FunctionName="f")["Version"] == "1"
    plane("UpdateFunctionConfiguration", FunctionName="f", Timeout=9)
    plane.wait()
    assert plane("PublishVersion", FunctionName="f")["Version"] == "2"


def test_a_version_number_is_never_given_twice(plane: Plane) -> None:
    published(plane, HELLO, OTHER)
    plane("DeleteFunction", FunctionName="f", Qualifier="2")
    assert plane("PublishVersion", FunctionName="f")["Version"] == "3"


def test_a_version_keeps_its_code_and_configuration(plane: Plane) -> None:
    plane.create(Publish=True, Environment={"Variables": {"NAME": "one"}})
    plane("UpdateFunctionConfiguration", FunctionName="f", Environment={"Variables": {}})
    plane.wait()
    kept = plane("GetFunctionConfiguration", FunctionName="f", Qualifier="1")
    assert kept["Environment"] == {"Variables": {"NAME": "one"}}
    assert "Environment" not in plane("GetFunctionConfiguration", FunctionName="f")


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("UpdateFunctionCode", {"ZipFile": OTHER}),
        ("UpdateFunctionConfiguration", {"Timeout": 5}),
        ("PublishVersion", {}),
        ("UpdateAlias", {"Name": "live", "Description": "x"}),
        ("AddPermission", {"StatementId": "b", "Action": "lambda:InvokeFunction",
                           "Principal": "s3.amazonaws.com"}),
        ("RemovePermission", {"StatementId": "a"}),
    ],
)  # fmt: skip
def test_a_stale_revision_is_refused_and_the_present_one_is_taken(
    plane: Plane, operation: str, parameters: dict[str, Any]
) -> None:
    published(plane, HELLO)
    plane("CreateAlias", FunctionName="f", Name="live", FunctionVersion="1")
    plane("AddPermission", FunctionName="f", StatementId="a", Action="lambda:InvokeFunction",
          Principal="s3.amazonaws.com")  # fmt: skip
    stale = {"FunctionName": "f", "RevisionId": "stale", **parameters}
    assert plane.refusal(operation, **stale) == "PreconditionFailedException"
    reads = {
        "UpdateAlias": "GetAlias",
        "AddPermission": "GetPolicy",
        "RemovePermission": "GetPolicy",
    }
    read = reads.get(operation, "GetFunctionConfiguration")
    present = plane(read, FunctionName="f", Name="live")["RevisionId"]
    plane(operation, **(stale | {"RevisionId": present}))
    # What is removed has no revision, what is unchanged publishes nothing.
    if operation not in ("RemovePermission", "PublishVersion"):
        assert plane(read, FunctionName="f", Name="live")["RevisionId"] != present


def test_publishing_code_that_is_not_the_latest_is_refused(plane: Plane) -> None:
    made = plane.create()
    wrong = plane.refusal("PublishVersion", FunctionName="f", CodeSha256="x")
    assert wrong == "InvalidParameterValueException"
    assert (
        plane("PublishVersion", FunctionName="f", CodeSha256=made["CodeSha256"])["Version"] == "1"
    )


def test_a_dry_run_tells_the_new_digest_and_changes_nothing(plane: Plane) -> None:
    before = plane.create()
    tried = plane("UpdateFunctionCode", FunctionName="f", ZipFile=OTHER, DryRun=True)
    assert tried["CodeSha256"] != before["CodeSha256"]
    kept = plane("GetFunctionConfiguration", FunctionName="f")
    assert kept["CodeSha256"] == before["CodeSha256"]


def test_a_version_that_an_alias_uses_cannot_be_deleted(plane: Plane) -> None:
    published(plane, HELLO, OTHER)
    plane("CreateAlias", FunctionName="f", Name="live", FunctionVersion="1",
          RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}})  # fmt: skip
    for number in ("1", "2"):
        refused = plane.refusal("DeleteFunction", FunctionName="f", Qualifier=number)
        assert refused == "ResourceConflictException"
    plane("UpdateAlias", FunctionName="f", Name="live", RoutingConfig={})
    assert "RoutingConfig" not in plane("GetAlias", FunctionName="f", Name="live")
    plane("DeleteFunction", FunctionName="f", Qualifier="2")


@pytest.mark.parametrize(
    ("version", "weights", "code"),
    [
        ("1", {"2": 1.5}, "ValidationException"),
        ("1", {"2": -0.1}, "ValidationException"),
        ("1", {"9": 0.5}, "ResourceNotFoundException"),
        ("9", {}, "ResourceNotFoundException"),
        ("1", {"1": 0.5}, "InvalidParameterValueException"),
        ("1", {"$LATEST": 0.5}, "InvalidParameterValueException"),
        ("$LATEST", {"1": 0.5}, "InvalidParameterValueException"),
        ("1", {"2": 0.1, "3": 0.1}, "InvalidParameterValueException"),
    ],
)
def test_what_an_alias_cannot_point_at(
    plane: Plane, version: str, weights: dict[str, float], code: str
) -> None:
    published(plane, HELLO, OTHER, HELLO)
    routing = {"AdditionalVersionWeights": weights}
    refused = plane.refusal("CreateAlias", FunctionName="f", Name="live", FunctionVersion=version,
                            RoutingConfig=routing)  # fmt: skip
    assert refused == code


def test_both_versions_of_an_alias_need_one_role(plane: Plane) -> None:
    published(plane, HELLO)
    plane("UpdateFunctionConfiguration", FunctionName="f", Role=f"{ROLE}-other")
    plane.wait()
    plane("PublishVersion", FunctionName="f")
    refused = plane.refusal("CreateAlias", FunctionName="f", Name="live", FunctionVersion="1",
                            RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}})  # fmt: skip
    assert refused == "InvalidParameterValueException"


def test_a_weighted_alias_draws_for_each_invocation(plane: Plane) -> None:
    published(plane, HELLO, OTHER)
    plane("CreateAlias", FunctionName="f", Name="live", FunctionVersion="1",
          RoutingConfig={"AdditionalVersionWeights": {"2": 0.2}})  # fmt: skip
    plane.draws = iter([0.0, 0.19, 0.2, 0.9])
    ran = [plane("Invoke", FunctionName="f:live")["ExecutedVersion"] for _ in range(4)]
    assert ran == ["2", "2", "1", "1"]
    assert [each.version for each in plane.invoker.invocations] == ran


def test_an_alias_in_use_is_a_conflict_and_a_number_is_no_name(plane: Plane) -> None:
    published(plane, HELLO)
    plane("CreateAlias", FunctionName="f", Name="live", FunctionVersion="1")
    given = {"FunctionName": "f", "FunctionVersion": "1"}
    assert plane.refusal("CreateAlias", Name="live", **given) == "ResourceConflictException"
    assert plane.refusal("CreateAlias", Name="12", **given) == "ValidationException"


def test_policies_belong_to_one_qualifier(plane: Plane) -> None:
    published(plane, HELLO)
    plane("CreateAlias", FunctionName="f", Name="live", FunctionVersion="1")
    grant = {"StatementId": "a", "Action": "lambda:InvokeFunctionUrl", "Principal": "*",
             "FunctionUrlAuthType": "NONE"}  # fmt: skip
    plane("AddPermission", FunctionName="f", Qualifier="live", **grant)
    assert plane.refusal("GetPolicy", FunctionName="f") == "ResourceNotFoundException"
    told = plane("GetPolicy", FunctionName="f", Qualifier="live")["Policy"]
    assert '"StringEquals":{"lambda:FunctionUrlAuthType":"NONE"}' in told
    assert f'"Resource":"{ARN}:live"' in told
    again = plane.refusal("AddPermission", FunctionName="f", Qualifier="live", **grant)
    assert again == "ResourceConflictException"
    plane("AddPermission", FunctionName="f", **grant)  # another qualifier, another policy


def test_each_qualifier_has_its_own_url_and_a_number_has_none(plane: Plane) -> None:
    published(plane, HELLO)
    plane("CreateAlias", FunctionName="f", Name="live", FunctionVersion="1")
    ours = {"FunctionName": "f", "AuthType": "AWS_IAM"}
    live = plane("CreateFunctionUrlConfig", Qualifier="live", **ours)
    latest = plane("CreateFunctionUrlConfig", **ours)
    assert live["FunctionArn"] == f"{ARN}:live"
    assert live["FunctionUrl"] != latest["FunctionUrl"]
    assert len(plane("ListFunctionUrlConfigs", FunctionName="f")["FunctionUrlConfigs"]) == 2
    assert plane.refusal("CreateFunctionUrlConfig", **ours) == "ResourceConflictException"
    refused = plane.refusal("CreateFunctionUrlConfig", Qualifier="1", **ours)
    assert refused == "ValidationException"
    plane("DeleteFunctionUrlConfig", FunctionName="f")
    assert plane.refusal("GetFunctionUrlConfig", FunctionName="f") == "ResourceNotFoundException"


def test_reserved_concurrency_of_zero_throttles_and_100_stay_unreserved(plane: Plane) -> None:
    plane.create()
    plane("PutFunctionConcurrency", FunctionName="f", ReservedConcurrentExecutions=0)
    assert plane.refusal("Invoke", FunctionName="f") == "TooManyRequestsException"
    assert plane.invoker.invocations[-1].throttled
    too_much = plane.refusal(
        "PutFunctionConcurrency", FunctionName="f", ReservedConcurrentExecutions=901
    )
    assert too_much == "InvalidParameterValueException"
    plane("DeleteFunctionConcurrency", FunctionName="f")
    assert plane("Invoke", FunctionName="f")["StatusCode"] == 200


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"Payload": b"{"}, "InvalidRequestContentException"),
        ({"Payload": b'"%s"' % (b"x" * 6 * 2**20)}, "RequestEntityTooLargeException"),
        (
            {"Payload": b'"%s"' % (b"x" * 2**20), "InvocationType": "Event"},
            "RequestEntityTooLargeException",
        ),
        ({"Qualifier": "nope"}, "ResourceNotFoundException"),
        ({"FunctionName": "nope"}, "ResourceNotFoundException"),
    ],
)
def test_what_invoke_refuses(plane: Plane, parameters: dict[str, Any], code: str) -> None:
    plane.create()
    assert plane.refusal("Invoke", **({"FunctionName": "f"} | parameters)) == code


def test_an_event_that_fails_is_tried_again_after_one_and_two_minutes(plane: Plane) -> None:
    plane.create()
    plane.pool.error = "Error"
    answer = plane("Invoke", FunctionName="f", InvocationType="Event", Payload=b"{}")
    assert answer["StatusCode"] == 202
    plane.clock.pass_by()
    assert plane.clock.waited == [0, 60, 120]
    assert [each.error for each in plane.invoker.invocations] == ["Error"] * 3


def test_a_dry_run_of_invoke_runs_nothing(plane: Plane) -> None:
    plane.create()
    answer = plane("Invoke", FunctionName="f", InvocationType="DryRun")
    assert answer["StatusCode"] == 204
    assert plane.pool.ran == []


def test_an_answer_over_six_megabytes_is_an_error(plane: Plane) -> None:
    plane.create()
    plane.pool.answer = b'"%s"' % (b"x" * 6 * 2**20)
    answer = plane("Invoke", FunctionName="f")
    assert answer["FunctionError"] == "Unhandled"
    assert b"Function.ResponseSizeTooLarge" in answer["Payload"]


def test_tags_are_of_functions_alone(plane: Plane) -> None:
    plane.create(Tags={"jam:site": "notes"})
    plane("TagResource", Resource=ARN, Tags={"more": "x"})
    plane("UntagResource", Resource=ARN, TagKeys=["jam:site"])
    assert plane("ListTags", Resource=ARN)["Tags"] == {"more": "x"}
    refused = plane.refusal("ListTags", Resource=f"{ARN}:1")
    assert refused == "InvalidParameterValueException"
    assert list(plane.service.tagged()) == [(ARN, {"more": "x"})]


def test_lists_come_in_pages_of_fifty(plane: Plane) -> None:
    for number in range(51):
        plane.create(f"f{number:02}")
    first = plane("ListFunctions", MaxItems=1000)
    assert len(first["Functions"]) == 50
    rest = plane("ListFunctions", Marker=first["NextMarker"])
    assert [each["FunctionName"] for each in rest["Functions"]] == ["f50"]


def test_a_link_that_leads_out_of_the_zip_is_refused(plane: Plane) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("index.js")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "../../../etc/passwd")
    with pytest.raises(AwsError, match="leads out"):
        plane.create(Code={"ZipFile": out.getvalue()})


def test_what_lambda_has_and_we_have_not_answers_501(plane: Plane) -> None:
    with pytest.raises(AwsError) as caught:
        plane("CreateEventSourceMapping", FunctionName="f")
    assert caught.value.status == 501


def test_every_rule_names_a_page_of_awss() -> None:
    assert all(
        rule.page.startswith(("Lambda", "API Gateway", "CloudFront", "IAM", "Resource Groups"))
        for rule in RULES
    )
    assert NOT_EMULATED
