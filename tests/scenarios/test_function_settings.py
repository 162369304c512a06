"""Settings of functions from jam.toml to what a visitor gets, through the distribution."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import Site

SETTINGS = """
site = "settings"
region = "eu-central-1"
[build]
publish = "public"

[tables.notes]
[tables.log]
ttl = "expires"
recovery = true

[tables.log.indexes.by-author]
hash = "author:S"
range = "at:N"

[functions]
runtime = "RUNTIME"
timeout = 30

[functions.write]
tables = ["notes:w", "log:rw"]

[functions.read]
tables = ["notes:r"]

[functions.author]
tables = ["log:rw"]

[functions.caller]
invoke = ["called"]
"""
TRY = """
import json, os
import boto3

def tried(call):
    try:
        return call() and "done"
    except Exception as error:
        return type(error).__name__

def answer(found):
    return {"statusCode": 200, "body": json.dumps(found)}
"""
TABLES = """
from _try import answer, boto3, os, tried

def handler(event, context):
    table = boto3.resource("dynamodb").Table("jam-settings-production-notes")
    return answer({
        "put": tried(lambda: table.put_item(Item={"id": "1"})),
        "get": tried(lambda: table.get_item(Key={"id": "1"})),
        "told": sorted(name for name in os.environ if name.startswith("JAM_TABLE")),
    })
"""
AUTHOR = """
from _try import answer, boto3, os
from boto3.dynamodb.conditions import Key

def handler(event, context):
    table = boto3.resource("dynamodb").Table(os.environ["JAM_TABLE_LOG"])
    for at in (2, 1):
        table.put_item(Item={"id": str(at), "author": "eve", "at": at})
    found = table.query(IndexName="by-author", KeyConditionExpression=Key("author").eq("eve"))
    return answer([item["id"] for item in found["Items"]])
"""
CALLER = """
from _try import answer, boto3, json, os, tried

def handler(event, context):
    client = boto3.client("lambda")
    name = os.environ["JAM_FUNCTION_CALLED"]
    called = client.invoke(FunctionName=name, Payload=b"{}")
    other = lambda: client.invoke(FunctionName=name.partition(":")[0])
    return answer({"called": json.loads(called["Payload"].read()), "latest": tried(other)})
"""


@pytest.fixture(scope="module")
def site(account: str, tmp_path_factory: pytest.TempPathFactory) -> Site:
    import sys

    folder = tmp_path_factory.mktemp("settings")
    runtime = f"python3.{sys.version_info[1]}"
    files = {
        "jam.toml": SETTINGS.replace("RUNTIME", runtime),
        "public/index.html": "<h1>Settings</h1>",
        "functions/_try.py": TRY,
        "functions/write.py": TABLES,
        "functions/read.py": TABLES,
        "functions/none.py": TABLES,
        "functions/author.py": AUTHOR,
        "functions/caller.py": CALLER,
        "functions/called.py": "def handler(event, context): return 'the first'\n",
    }
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Site(Path(folder), account)


@pytest.fixture(scope="module")
def first(site: Site) -> dict[str, Any]:
    return site.deploy()


def called(site: Site, deployed: dict[str, Any], name: str) -> Any:
    answer = site.get(deployed["url"], f"/.functions/{name}")
    assert answer.status == 200, answer.data
    return json.loads(answer.data)


@pytest.mark.parametrize(
    ("function", "put", "get", "told"),
    [
        ("write", "done", "ClientError", ["JAM_TABLE_LOG", "JAM_TABLE_NOTES"]),
        ("read", "ClientError", "done", ["JAM_TABLE_NOTES"]),
        ("none", "ClientError", "ClientError", []),
    ],
)
def test_a_function_may_do_with_a_table_what_it_is_granted(
    site: Site, first: dict[str, Any], function: str, *, put: str, get: str, told: list[str]
) -> None:
    assert called(site, first, function) == {"put": put, "get": get, "told": told}


def test_a_function_asks_an_index_of_its_table(site: Site, first: dict[str, Any]) -> None:
    assert called(site, first, "author") == ["1", "2"]


def test_a_function_invokes_the_version_of_another_that_its_release_has(
    site: Site, first: dict[str, Any]
) -> None:
    assert called(site, first, "caller") == {"called": "the first", "latest": "ClientError"}
    site.replace("functions/called.py", "the first", "the second")
    second = site.deploy()
    assert called(site, second, "caller")["called"] == "the second"


def test_a_change_of_keys_is_refused_before_anything_is_written(
    site: Site, first: dict[str, Any]
) -> None:
    site.replace("jam.toml", 'hash = "author:S"', 'hash = "writer:S"')
    done = site.jam("deploy")
    site.replace("jam.toml", 'hash = "writer:S"', 'hash = "author:S"')
    assert done.status == 2
    assert done.error["code"] == "JAM-TABLE-CHANGE"
    assert "tables.log.indexes.by-author" in json.dumps(done.answer)
