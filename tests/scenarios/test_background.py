"""Functions without a waiting visitor, from jam.toml to what they leave behind."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import urllib3

from tests.scenarios.conftest import Site

SETTINGS = """
site = "background"
region = "eu-central-1"
[build]
publish = "public"

[tables.log]

[functions]
runtime = "RUNTIME"
tables = ["log:rw"]

[functions.tick]
schedule = "0 * * * *"
timeout = 60

[functions.work]
async = true
methods = ["POST"]

[functions.fails]
async = true
retries = 1
tables = []
"""
LOG = """
import os
import boto3

def log(name, told):
    boto3.resource("dynamodb").Table(os.environ["JAM_TABLE_LOG"]).update_item(
        Key={"id": name},
        UpdateExpression="SET told = :told ADD times :one",
        ExpressionAttributeValues={":told": told, ":one": 1},
    )
"""
TICK = """
from _log import log

def handler(event, context):
    log("tick", f"first {event['source']}")
"""
WORK = """
from _log import log
import json

def handler(event, context):
    told = {name: event["headers"].get(name, "") for name in ("x-jam-function", "x-mine")}
    log("work", json.dumps([event["body"], event["rawPath"], told, context.aws_request_id]))
    return {"statusCode": 500}
"""
FAILS = """
def handler(event, context):
    raise ValueError("no luck")
"""
SEEN = """
import json, os
import boto3

def handler(event, context):
    items = boto3.resource("dynamodb").Table(os.environ["JAM_TABLE_LOG"]).scan()["Items"]
    return {
        "statusCode": 200,
        "headers": {"cache-control": "no-store"},
        "body": json.dumps({item["id"]: [item["told"], int(item["times"])] for item in items}),
    }
"""
HOUR = 3600  # seconds


def client(endpoint: str, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name="eu-central-1",
        aws_access_key_id="rehearsal",
        aws_secret_access_key="rehearsal",
    )


@pytest.fixture(scope="module")
def site(account: str, tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("background")
    files = {
        "jam.toml": SETTINGS.replace("RUNTIME", f"python3.{sys.version_info[1]}"),
        "public/index.html": "<h1>Background</h1>",
        "functions/_log.py": LOG,
        "functions/tick.py": TICK,
        "functions/work.py": WORK,
        "functions/fails.py": FAILS,
        "functions/seen.py": SEEN,
    }
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Site(Path(folder), account)


@pytest.fixture(scope="module")
def first(site: Site) -> dict[str, Any]:
    return site.deploy()


def pass_by(site: Site, seconds: float) -> None:
    """Lets the cloud's clock go on at once; what falls due meanwhile happens."""
    body = json.dumps({"advance": seconds})
    answer = urllib3.request("POST", f"{site.endpoint}/_jam/clock", body=body, timeout=60)
    assert answer.status == 200, answer.data


def seen(site: Site, deployed: dict[str, Any]) -> dict[str, Any]:
    answer = site.get(deployed["url"], "/.functions/seen")
    assert answer.status == 200, answer.data
    found: dict[str, Any] = json.loads(answer.data)
    return found


def at_last(look: Callable[[], Any], seconds: float = 15) -> Any:
    """What `look` finds as soon as it finds anything."""
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def test_a_schedule_alone_opens_no_path(site: Site, first: dict[str, Any]) -> None:
    assert site.get(first["url"], "/.functions/tick").status == 404


def test_a_scheduled_function_runs_when_its_time_has_come(
    site: Site, first: dict[str, Any]
) -> None:
    pass_by(site, HOUR)
    found = at_last(lambda: seen(site, first).get("tick"))
    assert found == ["first aws.scheduler", 1]


def test_a_request_in_the_background_is_answered_at_once_and_done_later(
    site: Site, first: dict[str, Any]
) -> None:
    answer = urllib3.request(
        "POST",
        f"{site.endpoint}/.functions/work",
        body=b'{"order": 7}',
        headers={
            "host": first["url"].removeprefix("https://"),
            "content-type": "application/json",
            "x-mine": "yes",
            "x-jam-function": "arn:aws:lambda:eu-central-1:123456789012:function:mine:1",
        },
    )
    assert answer.status == 202, answer.data
    told, times = at_last(lambda: seen(site, first).get("work"))
    assert times == 1
    run = answer.headers["x-jam-run"]
    headers = {"x-jam-function": "", "x-mine": "yes"}
    assert json.loads(told) == ['{"order": 7}', "/.functions/work", headers, run]


def test_status_tells_what_runs_a_function(site: Site, first: dict[str, Any]) -> None:
    (production,) = site.jam("status").answer["environments"]
    told = {each["name"]: each for each in production["functions"]}
    keys = ("route", "schedule", "async")
    assert [told["tick"][key] for key in keys] == [None, "cron(0 * * * ? *)", False]
    assert [told["work"][key] for key in keys] == ["/.functions/work", None, True]


def test_only_the_methods_of_a_function_in_the_background_are_taken(
    site: Site, first: dict[str, Any]
) -> None:
    assert site.get(first["url"], "/.functions/work").status == 404


def test_what_fails_to_the_last_is_a_dead_letter_and_an_alarm(
    site: Site, first: dict[str, Any]
) -> None:
    assert site.get(first["url"], "/.functions/fails").status == 202
    queues = client(site.endpoint, "sqs")
    (url,) = queues.list_queues(QueueNamePrefix="jam-background-dead-letters")["QueueUrls"]

    def letter() -> Any:
        pass_by(site, 60)
        return queues.receive_message(QueueUrl=url, VisibilityTimeout=0).get("Messages")

    (message,) = at_last(letter)
    told = json.loads(message["Body"])
    assert told["requestContext"]["condition"] == "RetriesExhausted"
    assert told["requestContext"]["approximateInvokeCount"] == 2
    assert told["requestPayload"]["rawPath"] == "/.functions/fails"
    assert told["responsePayload"]["errorMessage"] == "no luck"
    assert at_last(lambda: _is_red(site, "jam-background-dead-letters"))


def _is_red(site: Site, name: str) -> bool:
    pass_by(site, 60)
    (alarm,) = client(site.endpoint, "cloudwatch").describe_alarms(AlarmNames=[name])[
        "MetricAlarms"
    ]
    return bool(alarm["StateValue"] == "ALARM")


def test_an_event_that_is_too_large_for_the_background_is_refused(
    site: Site, first: dict[str, Any]
) -> None:
    answer = urllib3.request(
        "POST",
        f"{site.endpoint}/.functions/work",
        body=b"x" * 2**20,
        headers={"host": first["url"].removeprefix("https://"), "content-type": "text/plain"},
    )
    assert answer.status == 413, answer.data


def test_a_schedule_moves_with_a_release_and_goes_with_it(
    site: Site, first: dict[str, Any]
) -> None:
    assert site.deploy()["outcome"] == "unchanged"
    site.replace("functions/tick.py", "first", "second")
    site.replace("jam.toml", '"0 * * * *"', '"rate(2 hours)"')
    second = site.deploy()
    before = seen(site, second)["tick"][1]
    pass_by(site, 2 * HOUR + 60)
    found = at_last(lambda: _more(seen(site, second)["tick"], before))
    assert found == ["second aws.scheduler", before + 1]
    site.replace("jam.toml", '[functions.tick]\nschedule = "rate(2 hours)"\ntimeout = 60\n', "")
    (site.folder / "functions/tick.py").unlink()
    third = site.deploy()
    assert client(site.endpoint, "scheduler").list_schedules()["Schedules"] == []
    pass_by(site, 4 * HOUR)
    time.sleep(1)
    assert seen(site, third)["tick"] == found


def _more(found: list[Any], before: int) -> list[Any]:
    return found if found[1] > before else []
