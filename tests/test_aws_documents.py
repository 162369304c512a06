"""The documents that we hand to AWS: valid by AWS's own model, and equal where nothing changed."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from runner.aws import delivery, documents, judging, keyvalues, openapi, roles
from runner.aws.bootstrap import template
from runner.aws.overlay import overlay
from runner.aws.versions import wanted_of
from runner.aws.wanted import foundation
from runner.local import policy
from runner.model import Api, Grants, HeaderSet, Routing, Table
from runner.names import Names
from runner.plan.foundation import Role
from tests.builders import a_function

NAMES = Names("notes", "123456789012", "eu-central-1")
PARTS = delivery.Parts(
    entry_domain="abc.lambda-url.eu-central-1.on.aws",
    api_id="a1b2c3",
    files_access="E1",
    entry_access="E2",
    cache_policy="C1",
    forward_policy="C2",
    router_arn="arn:aws:cloudfront::123456789012:function/router",
    response_arn="arn:aws:cloudfront::123456789012:function/response",
    key="secret",
)
NOTES = Table(name="notes", hash_key=("id", "S"))


def problems(service: str, operation: str, parameters: dict[str, Any]) -> str:
    model = botocore.session.get_session().get_service_model(service)
    shape = model.operation_model(operation).input_shape
    return str(ParamValidator().validate(parameters, shape).generate_report())


def test_the_distribution_is_valid_by_cloudfronts_own_model() -> None:
    config = {"DistributionConfig": delivery.distribution(NAMES, PARTS), "Tags": {"Items": []}}
    wanted = {"DistributionConfigWithTags": config}
    assert problems("cloudfront", "CreateDistributionWithTags", wanted) == ""


@pytest.mark.parametrize(
    ("operation", "member", "config"),
    [
        ("CreateCachePolicy", "CachePolicyConfig", delivery.cache_policy()),
        (
            "CreateOriginRequestPolicy",
            "OriginRequestPolicyConfig",
            delivery.forward_policy(),
        ),
        (
            "CreateOriginAccessControl",
            "OriginAccessControlConfig",
            delivery.access("x", "lambda"),
        ),
    ],
)
def test_policies_are_valid_by_cloudfronts_own_model(
    operation: str, member: str, config: dict[str, Any]
) -> None:
    assert problems("cloudfront", operation, {member: config}) == ""


def test_entry_is_asked_once_and_not_for_long() -> None:
    origins = delivery.distribution(NAMES, PARTS)["Origins"]["Items"]
    entry = next(each for each in origins if each["Id"] == delivery.ENTRY)
    assert entry["ConnectionAttempts"] == 1
    assert entry["ConnectionTimeout"] == 2
    assert entry["CustomOriginConfig"]["OriginReadTimeout"] == 5


def test_no_failure_is_stored_at_the_edge() -> None:
    rules = delivery.distribution(NAMES, PARTS)["CustomErrorResponses"]["Items"]
    stored = {each["ErrorCode"]: each["ErrorCachingMinTTL"] for each in rules}
    assert stored == dict.fromkeys((400, 403, 500, 501, 502, 503, 504), 0)


def test_every_list_counts_its_items() -> None:
    def check(value: Any) -> None:
        if isinstance(value, dict):
            if "Quantity" in value:
                assert value["Quantity"] == len(value.get("Items", []))
            for each in value.values():
                check(each)
        if isinstance(value, list):
            for each in value:
                check(each)

    check(delivery.distribution(NAMES, PARTS))


def as_aws_gives_it_back(wanted: dict[str, Any]) -> dict[str, Any]:
    """With defaults filled in, lists in another order, and what a person added."""
    actual = copy.deepcopy(wanted)
    actual["DefaultRootObject"] = ""
    actual["Aliases"] = {"Quantity": 1, "Items": ["www.example.com"]}
    methods = actual["DefaultCacheBehavior"]["AllowedMethods"]
    methods["Items"] = list(reversed(methods["Items"]))
    for origin in actual["Origins"]["Items"]:
        origin["OriginShield"] = {"Enabled": False}
    actual["Origins"]["Items"].reverse()
    return actual


def test_a_distribution_that_is_as_wanted_needs_no_update() -> None:
    wanted = delivery.distribution(NAMES, PARTS)
    actual = as_aws_gives_it_back(wanted)
    assert overlay(actual, wanted) == actual


def test_an_update_keeps_what_a_person_added() -> None:
    wanted = delivery.distribution(NAMES, replace(PARTS, entry_domain="other.example"))
    actual = as_aws_gives_it_back(delivery.distribution(NAMES, PARTS))
    merged = overlay(actual, wanted)
    assert merged != actual
    assert merged["Aliases"]["Items"] == ["www.example.com"]
    entry = next(each for each in merged["Origins"]["Items"] if each["Id"] == delivery.ENTRY)
    assert entry["DomainName"] == "other.example"
    assert entry["OriginShield"] == {"Enabled": False}


def test_a_removed_behaviour_goes_away() -> None:
    wanted = delivery.distribution(NAMES, PARTS)
    actual = copy.deepcopy(wanted)
    extra = {**actual["CacheBehaviors"]["Items"][0], "PathPattern": "/old/*"}
    actual["CacheBehaviors"] = {
        "Quantity": 2,
        "Items": [*actual["CacheBehaviors"]["Items"], extra],
    }
    assert overlay(actual, wanted)["CacheBehaviors"]["Quantity"] == 1


def test_origin_groups_are_tried_in_the_order_that_is_wanted() -> None:
    wanted = delivery.distribution(NAMES, PARTS)
    actual = copy.deepcopy(wanted)
    actual["OriginGroups"]["Items"][0]["Members"]["Items"].reverse()
    merged = overlay(actual, wanted)
    members = merged["OriginGroups"]["Items"][0]["Members"]["Items"]
    assert [each["OriginId"] for each in members] == [delivery.FILES, delivery.ENTRY]


@pytest.mark.parametrize(
    "other",
    [
        foundation(NAMES, tables=(), router="r", response="s"),
        foundation(NAMES, tables=(NOTES,), router="changed", response="s"),
        foundation(NAMES, tables=(NOTES,), router="r", response="changed"),
        foundation(replace(NAMES, region="us-east-1"), tables=(NOTES,), router="r", response="s"),
    ],
)
def test_the_foundations_digest_covers_its_parts(other: Any) -> None:
    mine = foundation(NAMES, tables=(NOTES,), router="r", response="s")
    assert mine == foundation(NAMES, tables=(NOTES,), router="r", response="s")
    assert mine.digest != other.digest


def test_roles_can_do_no_more_than_their_work() -> None:
    for document in documents_of_roles():
        text = documents.compact(document)
        assert '"Action":"*"' not in text
        # X-Ray and EC2 know no resources; nothing else is so wide.
        allowed = [each for each in document["Statement"] if each["Effect"] == "Allow"]
        wide = [each for each in allowed if each["Resource"] == "*"]
        assert all(_knows_no_resource(each) for each in wide)
        assert "iam:" not in text
    functions = documents.permissions(Role.FUNCTIONS, NAMES)
    assert "dynamodb:" not in json.dumps(functions)
    assert "s3:" not in json.dumps(functions)


@pytest.mark.parametrize("action", [*documents.NETWORK, "ec2:DetachNetworkInterface"])
def test_the_code_of_a_function_in_a_network_cannot_touch_its_interfaces(action: str) -> None:
    role = documents.granted(Grants(owner="a", network=True), NAMES)
    own = {"lambda:SourceFunctionArn": NAMES.function_arn(NAMES.function("a"))}
    lambdas = policy.allows(role, action=action, resource="*")
    assert lambdas is (action in documents.NETWORK)
    assert not policy.allows(role, action=action, resource="*", context=own)


@pytest.mark.parametrize(
    ("access", "some", "none"),
    [
        ("r", {"GetItem", "Query", "Scan"}, {"PutItem", "DeleteItem", "UpdateItem"}),
        ("w", {"PutItem", "DeleteItem", "UpdateItem"}, {"GetItem", "Query", "Scan"}),
        ("rw", {"GetItem", "Query", "PutItem", "ConditionCheckItem"}, {"DeleteTable"}),
    ],
)
def test_a_grant_gives_exactly_its_actions_on_exactly_its_table(
    access: str, some: set[str], none: set[str]
) -> None:
    grants = Grants(owner="a", tables=(("notes", access),))
    (_, table) = documents.granted(grants, NAMES)["Statement"]
    actions = {each.partition(":")[2] for each in table["Action"]}
    assert some <= actions
    assert not none & actions
    arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/jam-notes-production-notes"
    assert table["Resource"] == ([arn, f"{arn}/index/*"] if "r" in access else arn)


def test_a_right_to_invoke_is_one_to_published_versions_of_one_function() -> None:
    (_, invoke) = documents.granted(GRANTS, NAMES)["Statement"][-2:]
    assert invoke["Action"] == "lambda:InvokeFunction"
    assert invoke["Resource"] == [f"{NAMES.function_arn(NAMES.function('mail'))}:*"]


def test_other_rights_are_another_role_so_that_those_of_a_live_release_never_change() -> None:
    less = replace(GRANTS, tables=())
    assert roles.name_of_grants(GRANTS, NAMES) != roles.name_of_grants(less, NAMES)
    longest = Names("a" * 24, NAMES.account, NAMES.region)
    name = roles.name_of_grants(replace(GRANTS, owner="long/" * 40 + "[id]"), longest)
    assert len(name) <= 64


GRANTS = Grants(owner="a", tables=(("notes", "rw"),), invoke=("mail",))


SECRETS = Grants(
    owner="a", secrets=(("A", "/notes/a"), ("B", "/aws/reference/secretsmanager/notes/b"))
)


def test_a_secret_gives_the_right_to_read_that_one_and_what_it_is_encrypted_with() -> None:
    (_, read, decrypt, managed, unlock) = documents.granted(SECRETS, NAMES)["Statement"]
    parameter = "arn:aws:ssm:eu-central-1:123456789012:parameter"
    assert read["Resource"] == [
        f"{parameter}/aws/reference/secretsmanager/notes/b",
        f"{parameter}/notes/a",
    ]
    secret = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:notes/b-??????"
    assert (managed["Action"], managed["Resource"]) == ("secretsmanager:GetSecretValue", [secret])
    for each, service in ((decrypt, "ssm"), (unlock, "secretsmanager")):
        via = {"kms:ViaService": f"{service}.eu-central-1.amazonaws.com"}
        assert (each["Action"], each["Condition"]["StringEquals"]) == ("kms:Decrypt", via)


AROUND = Grants(owner="a", tracing=True, network=True)


def _knows_no_resource(statement: documents.Document) -> bool:
    """Metrics are written under a namespace alone."""
    known = (documents.TRACING, documents.NETWORK, judging.METRICS, "codedeploy:StopDeployment")
    condition = statement.get("Condition", {}).get("StringEquals", {})
    return statement["Action"] in known or condition == {"cloudwatch:namespace": "jam"}


def documents_of_roles() -> list[documents.Document]:
    own = [documents.permissions(role, NAMES) for role in Role]
    granted = (GRANTS, SECRETS, Grants(), AROUND)
    return [*own, *(documents.granted(each, NAMES) for each in granted)]


def test_the_bucket_is_read_by_one_distribution_and_over_tls_only() -> None:
    before = documents.bucket_policy(NAMES, None)["Statement"]
    after = documents.bucket_policy(NAMES, "arn:dist")["Statement"]
    assert [each["Effect"] for each in before] == ["Deny"]
    assert before[0] in after
    for each in after[1:]:
        assert each["Condition"] == {"ArnLike": {"AWS:SourceArn": "arn:dist"}}


def test_an_api_stage_calls_qualified_versions_through_the_apis_role() -> None:
    function = replace(a_function("notes/[id]"), route="/.functions/notes/{id}", methods=("GET",))
    arn = "arn:aws:lambda:eu-central-1:123456789012:function:jam-notes-x:7"
    body = openapi.body(NAMES, (function,), Api(), role_arn="role", arns={function.name: arn})
    operation = body["paths"]["/.functions/notes/{id}"]["get"]
    integration = operation["x-amazon-apigateway-integration"]
    assert f"/functions/{arn}/invocations" in integration["uri"]
    assert integration["credentials"] == "role"
    mapping = {"overwrite:path": "$request.path", "remove:header.x-jam-key": "''"}
    assert integration["requestParameters"] == mapping
    assert integration["payloadFormatVersion"] == "2.0"
    assert integration["timeoutInMillis"] == 10_000
    assert [each["name"] for each in operation["parameters"]] == ["id"]


def test_any_method_is_written_as_api_gateway_wants_it() -> None:
    body = openapi.body(NAMES, (a_function("all"),), Api(), role_arn="r", arns={"all": "a"})
    assert list(body["paths"]["/.functions/all"]) == ["x-amazon-apigateway-any-method"]


def test_no_integration_waits_longer_than_api_gateway_does() -> None:
    slow = replace(a_function("slow"), timeout=900)
    body = openapi.body(NAMES, (slow,), Api(), role_arn="r", arns={"slow": "a"})
    (operation,) = body["paths"]["/.functions/slow"].values()
    assert operation["x-amazon-apigateway-integration"]["timeoutInMillis"] == 30_000


def test_live_repeats_the_releases_routing() -> None:
    value = json.loads(keyvalues.live_value("r1", Routing(api_stage="s")))
    assert value == {"v": 1, "live": "r1", "r": {"s": "s"}}


def test_header_sets_are_written_part_by_part() -> None:
    sets = (HeaderSet(ref="0123456789abcdef.2", headers=(("a", "b"),), parts=("x", "y")),)
    keys = keyvalues.routing_keys("r1", Routing(api_stage=""), header_sets=sets)
    assert keys == {"h/0123456789abcdef.0": "x", "h/0123456789abcdef.1": "y", "r/r1": "{}"}


def test_functions_are_told_which_version_of_another_belongs_to_their_release() -> None:
    caller = replace(a_function("all"), grants=Grants(owner="all", invoke=("mail/[id]",)))
    wanted = wanted_of(caller, NAMES, role_arn="r", versions={"mail/[id]": "7"})
    assert wanted.environment == {"JAM_FUNCTION_MAIL_ID": f"{NAMES.function('mail/[id]')}:7"}


def test_the_boundary_of_bootstrap_lets_no_role_touch_iam() -> None:
    resources = json.loads(template())["Resources"]
    statements = resources["Boundary"]["Properties"]["PolicyDocument"]["Statement"]
    actions = {action for each in statements for action in each["Action"]}
    assert not any(action.startswith(("iam:", "sts:", "*")) for action in actions)
    assert all(action != "*" for action in actions)


def test_what_roles_may_do_lies_within_the_boundary() -> None:
    resources = json.loads(template())["Resources"]
    statements = resources["Boundary"]["Properties"]["PolicyDocument"]["Statement"]
    within = {action for each in statements for action in each["Action"]}
    for document in documents_of_roles():
        for each in document["Statement"]:
            actions = each["Action"] if each["Effect"] == "Allow" else []
            assert set([actions] if isinstance(actions, str) else actions) <= within
