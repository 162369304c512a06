"""Settings of functions from jam.toml to what a visitor gets, through the distribution."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3

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

[functions.hosted]
log_retention = 14
tracing = true
reserved_concurrency = 1
layers = ["arn:aws:lambda:eu-central-1:111122223333:layer:fonts:3"]
subnets = ["subnet-0a1b2c3d"]
security_groups = ["sg-0a1b2c3d"]

[functions.charge]
secrets = { STRIPE_KEY = "ssm:/settings/stripe" }

[functions.shop.secrets]
STRIPE_KEY = "ssm:/settings/stripe"
MAIL_KEY = "ssm:/aws/reference/secretsmanager/settings/mail"

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
        return error.response["Error"]["Code"]

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
CHARGE = """
import { createHash } from "node:crypto";
const sum = createHash("sha256").update(process.env.STRIPE_KEY).digest("hex");
export const handler = async () => ({ statusCode: 200, body: JSON.stringify(sum) });
"""
SHOP = """
from _try import answer, boto3, os, tried
from hashlib import sha256

FOUND = {name: sha256(os.environ[name].encode()).hexdigest() for name in ("STRIPE_KEY", "MAIL_KEY")}

def handler(event, context):
    other = lambda: boto3.client("ssm").get_parameters(Names=["/settings/other"])
    return answer({**FOUND, "other": tried(other)})
"""
SLOW = """
import time

def handler(event, context):
    time.sleep(1)
    return 1
"""
STRIPE, MAIL = "sk-live-7Hq2", "mail-9xQz"
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
        "functions/hosted.py": SLOW,
        "functions/charge.ts": CHARGE,
        "functions/shop.py": SHOP,
        "functions/called.py": "def handler(event, context): return 'the first'\n",
    }
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    parameters, secrets = client(account, "ssm"), client(account, "secretsmanager")
    for name in ("stripe", "other"):
        parameters.put_parameter(Name=f"/settings/{name}", Value=STRIPE, Type="SecureString")
    secrets.create_secret(Name="settings/mail", SecretString=MAIL)
    return Site(Path(folder), account)


def client(endpoint: str, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="eu-central-1",
        aws_access_key_id="rehearsal",
        aws_secret_access_key="rehearsal",
    )


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
        ("write", "done", "AccessDeniedException", ["JAM_TABLE_LOG", "JAM_TABLE_NOTES"]),
        ("read", "AccessDeniedException", "done", ["JAM_TABLE_NOTES"]),
        ("none", "AccessDeniedException", "AccessDeniedException", []),
    ],
)
def test_a_function_may_do_with_a_table_what_it_is_granted(
    site: Site, first: dict[str, Any], function: str, *, put: str, get: str, told: list[str]
) -> None:
    assert called(site, first, function) == {"put": put, "get": get, "told": told}


def test_a_function_asks_an_index_of_its_table(site: Site, first: dict[str, Any]) -> None:
    assert called(site, first, "author") == ["1", "2"]


def test_what_lambda_offers_around_a_function_is_asked_for(
    site: Site, first: dict[str, Any]
) -> None:
    functions, name = client(site.endpoint, "lambda"), function_named(site, "hosted")
    found = functions.get_function_configuration(FunctionName=f"{name}:1")
    assert found["TracingConfig"] == {"Mode": "Active"}
    assert [each["Arn"].rpartition("layer:")[2] for each in found["Layers"]] == ["fonts:3"]
    assert found["VpcConfig"]["SubnetIds"] == ["subnet-0a1b2c3d"]
    assert found["VpcConfig"]["SecurityGroupIds"] == ["sg-0a1b2c3d"]
    logs = client(site.endpoint, "logs")
    (group,) = logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"]
    assert group["retentionInDays"] == 14


def test_reserved_concurrency_holds_for_visitors(site: Site, first: dict[str, Any]) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = [
            each.status
            for each in pool.map(lambda _: site.get(first["url"], "/.functions/hosted"), range(4))
        ]
    assert answers.count(200) >= 1
    assert any(status >= 500 for status in answers)


def function_named(site: Site, name: str) -> str:
    found = client(site.endpoint, "lambda").list_functions()["Functions"]
    prefix = f"jam-settings--{name}-"
    return next(each["FunctionName"] for each in found if each["FunctionName"].startswith(prefix))


def test_secrets_are_in_the_environment_before_the_function_loads(
    site: Site, first: dict[str, Any]
) -> None:
    stripe, mail = (sha256(text.encode()).hexdigest() for text in (STRIPE, MAIL))
    assert called(site, first, "charge") == stripe
    found = called(site, first, "shop")
    assert found == {"STRIPE_KEY": stripe, "MAIL_KEY": mail, "other": "AccessDeniedException"}


def test_the_value_of_a_secret_lies_in_no_configuration_zip_log_or_record(
    site: Site, first: dict[str, Any]
) -> None:
    kept: list[bytes] = []
    functions = client(site.endpoint, "lambda")
    for found in functions.list_functions()["Functions"]:
        kept.append(repr(found).encode())
        code = functions.get_function(FunctionName=found["FunctionName"])["Code"]
        packed = urllib3.request("GET", site.endpoint + code["Location"].split(".com")[-1])
        kept.append(packed.data)
    logs = client(site.endpoint, "logs")
    groups = [each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]]
    kept += [repr(logs.filter_log_events(logGroupName=group)).encode() for group in groups]
    kept.append(repr(client(site.endpoint, "dynamodb").scan(TableName="jam-settings")).encode())
    kept += [path.read_bytes() for path in site.folder.rglob("*") if path.is_file()]
    assert not [each for each in kept if STRIPE.encode() in each or MAIL.encode() in each]


def test_a_secret_that_is_not_there_is_named_before_anything_is_written(
    site: Site, first: dict[str, Any]
) -> None:
    site.replace("jam.toml", '"ssm:/settings/stripe" }', '"ssm:/settings/strype" }')
    done = site.jam("deploy", "--now")
    site.replace("jam.toml", '"ssm:/settings/strype" }', '"ssm:/settings/stripe" }')
    assert done.error["code"] == "JAM-SECRET-MISSING"
    assert "functions.charge.secrets.STRIPE_KEY" in done.log


def test_a_function_invokes_the_version_of_another_that_its_release_has(
    site: Site, first: dict[str, Any]
) -> None:
    assert called(site, first, "caller") == {
        "called": "the first",
        "latest": "AccessDeniedException",
    }
    site.replace("functions/called.py", "the first", "the second")
    second = site.deploy()
    assert called(site, second, "caller")["called"] == "the second"


def test_a_change_of_keys_is_refused_before_anything_is_written(
    site: Site, first: dict[str, Any]
) -> None:
    site.replace("jam.toml", 'hash = "author:S"', 'hash = "writer:S"')
    done = site.jam("deploy", "--now")
    site.replace("jam.toml", 'hash = "writer:S"', 'hash = "author:S"')
    assert done.status == 2
    assert done.error["code"] == "JAM-TABLE-CHANGE"
    assert "tables.log.indexes.by-author" in json.dumps(done.answer)
