"""The API answers the distribution alone: the keeper, its key, and the header of tokens."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import urllib3

from runner.aws import functions, keeper, keyvalues, openapi
from runner.aws.bootstrap import bootstrap
from runner.edge import router_code
from runner.keeper.keeper import VARIABLE, digest, handler
from runner.local.cloud import Cloud
from runner.local.javascript import EdgeFunction
from runner.model import Admission, Api, Authorizer
from runner.names import Names
from runner.package.keeper import package
from runner.plan.refs import Made, Ref
from tests.aws_site import Deployer, a_release, an_account
from tests.builders import a_function
from tests.edge_events import live, request_event

NAMES = Names("notes", "123456789012", "eu-central-1")
KNOWN = " ".join(digest(each) for each in ("new", "old"))


@pytest.mark.parametrize(
    ("told", "is_let_in"),
    [
        (["new"], True),
        (["old"], True),
        (["other"], False),
        ([""], False),
        (["new", "new"], False),
        ([digest("new")], False),
        (["\ud800"], False),
        ([7], False),
        ("new", False),
        (None, False),
    ],
)
def test_the_keeper_lets_in_who_has_a_key(
    monkeypatch: pytest.MonkeyPatch, told: object, *, is_let_in: bool
) -> None:
    monkeypatch.setenv(VARIABLE, KNOWN)
    assert handler({"identitySource": told}) == {"isAuthorized": is_let_in}


def test_without_a_key_nobody_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    assert handler({"identitySource": [""]}) == {"isAuthorized": False}


def test_the_keepers_archive_is_its_program_alone() -> None:
    assert package() == package()
    with zipfile.ZipFile(BytesIO(package())) as archive:
        assert archive.namelist() == ["keeper.py"]
        assert b"runner." not in archive.read("keeper.py")


def test_every_route_has_an_authorizer_and_no_function_hears_a_secret() -> None:
    members = Authorizer(name="members", issuer="https://issuer.example.com", audience=("app",))
    closed = replace(a_function("closed"), admission=Admission(authorizer=members))
    body = openapi.body(
        NAMES, (a_function("open"), closed), Api(), role_arn="r",
        arns={"open": "a", "closed": "b"}, bearer="x-jam-b",
    )  # fmt: skip
    operations = [one for path in body["paths"].values() for one in path.values()]
    assert [each["security"] for each in operations] == [[{"jam.keeper": []}], [{"members": []}]]
    for each in operations:
        mapping = each["x-amazon-apigateway-integration"]["requestParameters"]
        assert {"remove:header.x-jam-key", "remove:header.x-jam-b"} <= mapping.keys()
    schemes = body["components"]["securitySchemes"]
    of_ours = schemes["jam.keeper"]["x-amazon-apigateway-authorizer"]
    assert of_ours["authorizerUri"].endswith(":function:jam-notes-keeper/invocations")
    assert of_ours["authorizerResultTtlInSeconds"] == 3600
    of_theirs = schemes["members"]["x-amazon-apigateway-authorizer"]
    assert of_theirs["identitySource"] == "$request.header.x-jam-b"


@pytest.mark.parametrize("previews", [False, True])
def test_the_router_hands_a_token_on_in_a_header_that_a_visitor_cannot_name(previews: bool) -> None:
    name = "x-jam-" + hashlib.sha256(b"secret").hexdigest()
    store = {**live(), "bearer": '{"t":"secret"}'}
    shown = {"v": 1, **{key: json.loads(live()["live"])[key] for key in ("live", "r")}, "e": "pr-7"}
    store["e/www.example.com"] = json.dumps(shown)
    router = EdgeFunction(router_code(previews=previews), lambda: store)

    def heard(headers: dict[str, str]) -> dict[str, str]:
        event = request_event("/.functions/a", {"host": "www.example.com", **headers})
        found = router.run(event)["headers"]
        return {each: found[each]["value"] for each in found if each.startswith("x-jam-")}

    assert heard({"authorization": "Bearer t"}) == {name: "Bearer t"}
    assert heard({name: "Bearer mine", "x-jam-key": "made-up"}) == {}
    store.pop("bearer")
    assert heard({"authorization": "Bearer t"}) == {}


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(speed=50.0) as cloud:
        yield cloud


@pytest.fixture
def site(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Deployer:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    cloud.reset()
    aws = an_account(cloud)
    bootstrap(aws, lambda _line: None)
    return Deployer(aws, Names("notes", aws.account, aws.region))


def answered(cloud: Cloud, host: str, path: str, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return urllib3.request("GET", cloud.endpoint + path, headers={"host": host, **named}).status


def test_another_key_is_let_in_before_it_is_sent_and_old_api_stages_know_it(
    cloud: Cloud, site: Deployer, tmp_path: Path
) -> None:
    release = a_release(tmp_path)
    known = site.deploy(release).known
    store, path = known[Ref(Made.STORE)], "/.functions/notes/7"
    api = f"{known[Ref(Made.API)]}.execute-api.{site.names.region}.amazonaws.com"
    stage = f"/{release.routing.api_stage}"
    former = keeper.key(site.aws, store)

    def keys() -> list[int]:
        sent = (former, keeper.key(site.aws, store), "made-up")
        return [answered(cloud, api, stage + path, x_jam_key=each) for each in sent]

    assert answered(cloud, api, stage + path) == 401
    assert keys() == [200, 200, 403]
    keyvalues.drop(site.aws, store, keys=[keeper.KEY])
    role = site.names.role_arn(site.names.keeper_role)
    keeper.make(site.aws, site.names, store=store, role_arn=role)
    assert former != keeper.key(site.aws, store)
    site.aws.api.reset_authorizers_cache(ApiId=known[Ref(Made.API)], StageName=stage[1:])
    assert keys() == [200, 200, 403]
    keeper.make(site.aws, site.names, store=store, role_arn=role)
    site.aws.api.reset_authorizers_cache(ApiId=known[Ref(Made.API)], StageName=stage[1:])
    assert keys() == [403, 200, 403]


def test_no_key_is_in_what_people_can_read(cloud: Cloud, site: Deployer, tmp_path: Path) -> None:
    known = site.deploy(a_release(tmp_path)).known
    key = keeper.key(site.aws, known[Ref(Made.STORE)])
    items: Any = site.aws.records.scan(TableName=site.names.records)["Items"]
    found: Any = functions.find(site.aws, site.names, name=site.names.keeper)
    assert key not in json.dumps(items)
    assert key not in json.dumps(found["Environment"])
    assert key not in str(known.values())
