"""The control plane of HTTP APIs: imports, routes, deployments, stages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runner.local.wire import AwsError
from tests.api_site import FUNCTION, URI, Apis, definition, operation


@pytest.fixture
def apis() -> Apis:
    return Apis()


def test_an_import_makes_routes_integrations_and_tags(apis: Apis) -> None:
    document = definition({"/a/{id}": {"get": operation()}, "/b": {"post": operation()}})
    document["tags"] = [{"name": "jam:site", "x-amazon-apigateway-tag-value": "notes"}]
    made = apis("ImportApi", Body=json.dumps(document))
    assert (made["Name"], made["Tags"]) == ("jam-notes", {"jam:site": "notes"})
    assert made["ApiEndpoint"] == f"https://{made['ApiId']}.execute-api.eu-west-1.amazonaws.com"
    routes = apis("GetRoutes", ApiId=made["ApiId"])["Items"]
    assert {each["RouteKey"] for each in routes} == {"GET /a/{id}", "POST /b"}
    integration = apis("GetIntegrations", ApiId=made["ApiId"])["Items"][0]
    assert integration["IntegrationUri"] == URI
    assert integration["RequestParameters"] == {"overwrite:path": "$request.path"}


def test_any_method_default_route_and_shared_integrations(apis: Apis) -> None:
    shared = {"$ref": "#/components/x-amazon-apigateway-integrations/one"}
    every = {"x-amazon-apigateway-integration": shared}
    document = definition(
        {
            "/$default": {"x-amazon-apigateway-any-method": every},
            "/a/{rest+}": {"x-amazon-apigateway-any-method": every},
        }
    )
    inner = operation()["x-amazon-apigateway-integration"]
    document["components"] = {"x-amazon-apigateway-integrations": {"one": inner}}
    api = apis("ImportApi", Body=json.dumps(document))["ApiId"]
    keys = {each["RouteKey"] for each in apis("GetRoutes", ApiId=api)["Items"]}
    assert keys == {"$default", "ANY /a/{rest+}"}
    assert len(apis("GetIntegrations", ApiId=api)["Items"]) == 1


@pytest.mark.parametrize(
    "body",
    [
        "{",
        json.dumps({"swagger": "2.0", "info": {"title": "x"}}),
        json.dumps({"openapi": "3.0.1"}),
        json.dumps(definition({"/a{b": {"get": operation()}})),
        json.dumps(definition({"/{a+}/b": {"get": operation()}})),
        json.dumps(definition({"/a": {"get": operation(uri="https://x.example")}})),
        json.dumps(definition({"/a": {"get": operation(timeoutInMillis=30001)}})),
        json.dumps(definition({"/a": {"get": operation(timeoutInMillis=49)}})),
        json.dumps(definition({"/a": {"get": operation(credentials="role")}})),
        json.dumps(definition({"/a": {"get": operation(payloadFormatVersion=None)}})),
        json.dumps(definition({"/a": {"get": operation(requestParameters={"path": "x"})}})),
    ],
)
def test_a_definition_that_api_gateway_refuses(apis: Apis, body: str) -> None:
    assert apis.refusal("ImportApi", Body=body) == "BadRequestException"
    assert apis("GetApis")["Items"] == []


def test_warnings_fail_an_import_only_on_request(apis: Apis) -> None:
    body = json.dumps(definition({"/a": {"get": {}}}))
    assert apis.refusal("ImportApi", Body=body, FailOnWarnings=True) == "BadRequestException"
    assert apis("ImportApi", Body=body)["Warnings"]


def test_a_reimport_replaces_routes_and_leaves_deployments(apis: Apis) -> None:
    api = apis.deployed()
    kept = apis("GetDeployments", ApiId=api)["Items"]
    body = json.dumps(definition({"/other": {"get": operation()}}))
    apis("ReimportApi", ApiId=api, Body=body)
    assert [r["RouteKey"] for r in apis("GetRoutes", ApiId=api)["Items"]] == ["GET /other"]
    assert len(apis("GetIntegrations", ApiId=api)["Items"]) == 1
    assert apis("GetDeployments", ApiId=api)["Items"] == kept


def test_a_route_key_in_use_is_a_conflict(apis: Apis) -> None:
    api = apis.deployed()
    assert apis.refusal("CreateRoute", ApiId=api, RouteKey="GET /a") == "ConflictException"


@pytest.mark.parametrize(
    "key", ["GET", "GET a", "FETCH /a", "GET /{a+}/b", "GET /{a", "/a", "GET /{}"]
)
def test_what_is_no_route_key(apis: Apis, key: str) -> None:
    assert apis.refusal("CreateRoute", ApiId=apis.deployed(), RouteKey=key) == "BadRequestException"


def test_a_deployment_in_use_cannot_be_deleted(apis: Apis) -> None:
    api = apis.deployed()
    first = apis("GetStage", ApiId=api, StageName="one")["DeploymentId"]
    assert apis.refusal("DeleteDeployment", ApiId=api, DeploymentId=first) == "BadRequestException"
    second = apis("CreateDeployment", ApiId=api)["DeploymentId"]
    apis("UpdateStage", ApiId=api, StageName="one", DeploymentId=second)
    apis("DeleteDeployment", ApiId=api, DeploymentId=first)


def test_an_api_without_routes_cannot_be_deployed(apis: Apis) -> None:
    api = apis("CreateApi", Name="x", ProtocolType="HTTP")["ApiId"]
    assert apis.refusal("CreateDeployment", ApiId=api) == "BadRequestException"


def test_an_api_has_ten_stages_at_most(apis: Apis) -> None:
    api = apis.deployed()
    for number in range(9):
        apis("CreateStage", ApiId=api, StageName=f"s{number}")
    assert apis.refusal("CreateStage", ApiId=api, StageName="more") == "BadRequestException"
    apis("DeleteStage", ApiId=api, StageName="s0")
    apis("CreateStage", ApiId=api, StageName="more")


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"StageName": "a.b"}, "BadRequestException"),
        ({"StageName": ""}, "BadRequestException"),
        ({"StageName": "one"}, "ConflictException"),
        ({"StageName": "two", "DeploymentId": "nope"}, "NotFoundException"),
        ({"StageName": "two", "StageVariables": {"a b": "x"}}, "BadRequestException"),
    ],
)
def test_what_create_stage_refuses(apis: Apis, parameters: dict[str, Any], code: str) -> None:
    assert apis.refusal("CreateStage", ApiId=apis.deployed(), **parameters) == code


def test_a_stage_with_auto_deploy_follows_changes_and_takes_no_deployment(apis: Apis) -> None:
    api = apis.deployed()
    first = apis("CreateStage", ApiId=api, StageName="$default", AutoDeploy=True)["DeploymentId"]
    apis("CreateRoute", ApiId=api, RouteKey="GET /new")
    second = apis("GetStage", ApiId=api, StageName="$default")["DeploymentId"]
    assert first != second
    refused = apis.refusal("UpdateStage", ApiId=api, StageName="$default", DeploymentId=first)
    assert refused == "BadRequestException"


def test_quick_create_makes_route_integration_and_stage(apis: Apis) -> None:
    api = apis("CreateApi", Name="x", ProtocolType="HTTP", Target=FUNCTION)["ApiId"]
    assert apis("GetRoutes", ApiId=api)["Items"][0]["RouteKey"] == "$default"
    assert apis("GetStages", ApiId=api)["Items"][0]["AutoDeploy"]


def test_tags_of_apis_and_stages(apis: Apis) -> None:
    api = apis.deployed()
    arn = f"arn:aws:apigateway:eu-west-1::/apis/{api}"
    apis("TagResource", ResourceArn=arn, Tags={"a": "1", "b": "2"})
    apis("UntagResource", ResourceArn=arn, TagKeys=["a"])
    apis("TagResource", ResourceArn=f"{arn}/stages/one", Tags={"c": "3"})
    assert apis("GetTags", ResourceArn=arn)["Tags"] == {"b": "2"}
    told = dict(apis.service.tagged())
    assert told == {arn: {"b": "2"}, f"{arn}/stages/one": {"c": "3"}}


def test_an_integration_in_use_cannot_be_deleted(apis: Apis) -> None:
    api = apis.deployed()
    used = apis("GetIntegrations", ApiId=api)["Items"][0]["IntegrationId"]
    assert apis.refusal("DeleteIntegration", ApiId=api, IntegrationId=used) == "ConflictException"


@pytest.mark.parametrize(
    ("operation_name", "parameters"),
    [
        ("CreateApi", {"Name": "x", "ProtocolType": "WEBSOCKET"}),
        ("CreateDomainName", {"DomainName": "x"}),
        ("ImportApi", {"Body": "openapi: 3.0.1"}),
    ],
)
def test_what_is_not_emulated_answers_501(
    apis: Apis, operation_name: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(AwsError) as caught:
        apis(operation_name, **parameters)
    assert caught.value.status == 501


def test_another_regions_api_is_not_found(apis: Apis) -> None:
    api = apis.deployed()
    apis.region = "us-east-1"
    assert apis.refusal("GetApi", ApiId=api) == "NotFoundException"
    assert apis("GetApis")["Items"] == []
