"""What a maintainer sees of audit, gc and destroy, on a site that has a resource of every kind."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.compute_site import eventually
from tests.scenarios.conftest import Site

SETTINGS = """
site = "every"
region = "eu-central-1"
[build]
publish = "public"
[tables.log]
[functions.hello]
tables = ["log:rw"]
[functions.tick]
schedule = "0 * * * *"
[functions.work]
async = true
methods = ["POST"]
[functions.flow]
stream = true
[production.retention]
releases = 1
days = 0
"""
HELLO = "export default async () => new Response('WORD');"
SPEED = 20  # before a rollout opens a minute passes
WEEK = 8 * 24 * 3600  # seconds


@pytest.fixture(scope="module")
def every(account: str, tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("every")
    for name in ("functions", "public"):
        (folder / name).mkdir()
    (folder / "jam.toml").write_text(SETTINGS)
    for name in ("hello", "tick", "work", "flow"):
        (folder / "functions" / f"{name}.mjs").write_text(HELLO.replace("WORD", "one"))
    (folder / "public" / "index.html").write_text("<h1>one</h1>")
    site = Site(folder, account)
    site.hasten(SPEED)
    return site


def change(site: Site, old: str, new: str) -> None:
    site.replace("public/index.html", old, new)
    site.replace("functions/hello.mjs", old, new)


def later(site: Site, seconds: float) -> None:
    body = json.dumps({"advance": seconds}).encode()
    urllib.request.urlopen(f"{site.endpoint}/_jam/clock", data=body, timeout=120).close()


def audited(site: Site) -> tuple[int, list[str]]:
    done = site.jam("audit")
    told = [each["name"] for each in done.answer["resources"] if not each["explained_by"]]
    assert len(told) == done.answer["unexplained"]
    return done.status, told


def of_site(site: Site) -> list[dict[str, Any]]:
    return [each for each in site.jam("audit").answer["resources"] if each["site"] == "every"]


def client(site: Site, service: str) -> Any:
    return boto3.client(
        service,
        region_name="eu-central-1",
        endpoint_url=site.endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def tagged(site: Site) -> list[str]:
    left = client(site, "resourcegroupstaggingapi").get_resources()
    arns = [each["ResourceARN"] for each in left["ResourceTagMappingList"]]
    return [arn for arn in arns if "every" in arn]


def test_every_resource_is_accounted_for_until_nothing_is_left(every: Site) -> None:
    url = every.deploy()["url"]
    for old, new in (("one", "two"), ("two", "three")):
        change(every, old, new)
        every.deploy()
    assert audited(every) == (0, [])
    kinds = {each["kind"] for each in of_site(every)}
    assert {"schedule", "queue", "CloudWatch alarm", "function URL", "schedule group"} <= kinds

    first = every.jam("gc")
    assert (first.status, len(first.answer["expired"])) == (0, 1), first.log
    later(every, WEEK)
    gone = every.jam("gc").answer["removed"]
    assert any(each.startswith("function version jam-every-entry:") for each in gone)
    assert any(each.startswith("objects production/releases/") for each in gone)
    assert b"three" in every.visit(url, "/").data
    assert every.get(url, "/.functions/hello").data == b"three"
    assert every.get(url, "/.functions/flow").status == 200
    assert audited(every) == (0, [])
    assert every.jam("rollback", "--no-hold").status == 0
    assert b"two" in every.visit(url, "/").data
    assert every.get(url, "/.functions/hello").data == b"two"

    # A rollout is open when the site goes.
    change(every, "three", "four")
    opened = every.jam("deploy", "--no-wait")
    assert opened.answer["outcome"] == "open", opened.log
    assert audited(every) == (0, [])
    assert "EventBridge rule" in {each["kind"] for each in of_site(every)}
    assert every.jam("gc").answer["outcome"] == "unchanged"

    bucket = next(each["name"] for each in of_site(every) if each["kind"] == "bucket")
    client(every, "s3").put_object(Bucket=bucket, Key="holiday.jpg", Body=b"mine")
    assert audited(every) == (3, ["holiday.jpg"])
    refused = every.jam("destroy", "--all", "--yes")
    assert (refused.status, refused.error["code"]) == (3, "JAM-BUCKET-FOREIGN")
    assert "holiday.jpg" in refused.log
    assert every.visit(url, "/").status == 200
    client(every, "s3").delete_object(Bucket=bucket, Key="holiday.jpg")

    asked = every.jam("destroy", "--all")
    assert (asked.status, "--yes" in asked.log) == (2, True)
    done = every.jam("destroy", "--all", "--yes")
    assert (done.status, done.answer["outcome"]) == (0, "removed"), done.log
    assert [each["name"] for each in done.answer["left"]] == ["jam-every-production-log"]
    assert "aws cloudformation delete-stack --stack-name jam-deploy" in done.log
    assert audited(every) == (0, [])
    again = every.jam("destroy", "--all", "--yes", "--with-tables", "log")
    assert again.answer["removed"] == ["table jam-every-production-log"]
    assert every.jam("destroy", "--all", "--yes").answer["outcome"] == "unchanged"
    assert of_site(every) == []
    eventually(lambda: tagged(every) == [], seconds=60)  # a schedule group takes a while to go


def test_a_site_can_be_deployed_again_after_it_was_destroyed(plain: Site, tmp_path: Path) -> None:
    plain.deploy()
    assert plain.jam("destroy", "--all", "--yes").status == 0
    assert b"Hello" in plain.visit(plain.deploy()["url"], "/").data
