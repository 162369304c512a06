"""What a maintainer sees of a site that somebody meddled with: named by `doctor`, and mended."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import urllib3

from runner.aws import keyvalues
from runner.aws.session import connect
from tests.scenarios.conftest import Done, Site

SETTINGS = """
site = "meddled"
region = "eu-central-1"
[build]
publish = "public"
[functions.hello]
"""
HELLO = "export default async () => new Response('WORD');"
EVERY = 10**6  # calls


@pytest.fixture(scope="module")
def deployed(account: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, str]:
    """Deployed twice, so that there is a release to go back to; and that release."""
    folder = tmp_path_factory.mktemp("meddled")
    for name in ("functions", "public"):
        (folder / name).mkdir()
    (folder / "jam.toml").write_text(SETTINGS)
    (folder / "functions" / "hello.mjs").write_text(HELLO.replace("WORD", "one"))
    (folder / "public" / "index.html").write_text("<h1>one</h1>")
    site = Site(folder, account)
    first = site.deploy()["release"]
    change(site, "one", "two")
    site.deploy()
    return site, first


@pytest.fixture
def site(deployed: tuple[Site, str]) -> Iterator[Site]:
    """As it is deployed, whatever the test before left of settings, faults and denials."""
    yield deployed[0]
    for what in ("faults", "deny"):
        urllib3.request("DELETE", f"{deployed[0].endpoint}/_jam/{what}")
    (deployed[0].folder / "jam.toml").write_text(SETTINGS)


def change(site: Site, old: str, new: str) -> None:
    site.replace("public/index.html", old, new)
    site.replace("functions/hello.mjs", old, new)


def client(site: Site, service: str) -> Any:
    make: Any = boto3.client  # its overloads want the service's name as a literal
    return make(
        service,
        region_name="eu-central-1",
        endpoint_url=site.endpoint,
        aws_access_key_id="somebody",
        aws_secret_access_key="somebody",
    )


def post(site: Site, what: str, body: Any) -> None:
    answer = urllib3.request("POST", f"{site.endpoint}/_jam/{what}", json=body)
    assert answer.status == 200, answer.data


def wrong(done: Done) -> list[dict[str, Any]]:
    return [each for each in done.answer["remarks"] if each["wrong"]]


def check_well(site: Site) -> None:
    done = site.jam("doctor")
    assert (done.status, done.answer["well"], wrong(done)) == (0, True, []), done.log


def test_a_site_as_it_was_deployed_is_well(site: Site) -> None:
    done = site.jam("doctor")
    assert (done.status, done.answer["well"], done.answer["drift"]) == (0, True, [])
    topics = {each["topic"] for each in done.answer["remarks"]}
    assert topics >= {"credentials", "account", "permissions", "drift"}


def test_a_new_build_upon_drift_mends_it_and_kept_releases_are_known_again(
    site: Site, deployed: tuple[Site, str]
) -> None:
    _, first = deployed
    client(site, "s3").delete_bucket_policy(Bucket=bucket(site))
    emptied(site)
    done = site.jam("doctor")
    assert (done.status, done.answer["well"], done.answer["marked"]) == (3, False, True)
    found = {each["name"] for each in done.answer["drift"] if each["mended_by_deploy"]}
    assert {"live", f"r/{first}", bucket(site)} <= found
    assert all(each["hint"] for each in wrong(done))
    change(site, "two", "three")
    done = site.jam("deploy")  # no rollout: what visitors do not get is no baseline
    assert (done.status, done.answer["outcome"]) == (0, "live"), done.log
    url = done.answer["url"]
    assert site.visit(url, "/").data == b"<h1>three</h1>"
    assert site.get(url, "/.functions/hello").data == b"three"
    assert site.get(url, "/.functions/hello", x_jam_release=first).data == b"one"
    site.jam("deploy", "--repair")  # the API's former key is let in until now
    check_well(site)
    back = site.jam("rollback", first[:8], "--no-hold")
    assert (back.status, back.answer["outcome"]) == (0, "live"), back.log
    assert site.visit(url, "/").data == b"<h1>one</h1>"


def test_what_the_settings_say_and_nobody_deployed_yet_is_not_wrong(site: Site) -> None:
    (site.folder / "jam.toml").write_text(f"{SETTINGS}\n[tables.later]\n")
    done = site.jam("doctor")
    assert (done.status, done.answer["well"], done.answer["marked"]) == (0, True, False)
    (found,) = done.answer["drift"]
    assert (found["kind"], found["state"]) == ("table", "not deployed yet")
    assert found["name"].endswith("-later")


def test_what_bears_no_tag_of_ours_is_named_and_left_alone(site: Site) -> None:
    iam, role = client(site, "iam"), "jam-meddled-entry"
    tags = iam.list_role_tags(RoleName=role)["Tags"]
    iam.untag_role(RoleName=role, TagKeys=[each["Key"] for each in tags])
    done = site.jam("doctor")
    assert done.status == 3
    (found,) = (each for each in done.answer["drift"] if each["state"] == "not ours")
    assert (found["name"], found["mended_by_deploy"]) == (role, False)
    assert any("not ours" in each["message"] and each["hint"] for each in wrong(done))
    again = site.jam("deploy", "--now", "--repair")
    assert (again.status, again.error["code"]) == (3, "JAM-NOT-OURS")
    assert iam.list_role_tags(RoleName=role)["Tags"] == []
    iam.tag_role(RoleName=role, Tags=tags)


def test_rights_that_are_missing_are_named_before_a_deploy_lacks_them(site: Site) -> None:
    post(site, "deny", {"action": "s3:PutObject"})
    done = site.jam("doctor")
    assert done.status == 3
    (found,) = (each for each in wrong(done) if each["topic"] == "permissions")
    assert "s3:PutObject" in found["message"] + found["hint"]


def test_a_quota_that_is_nearly_reached_is_named_with_what_frees_it(site: Site) -> None:
    values = {"AccountUsage": {"TotalCodeSize": 70_000_000_000, "FunctionCount": 2}}
    fault = {"kind": "answer", "service": "lambda", "operation": "GetAccountSettings"}
    post(site, "faults", {**fault, "values": values, "times": EVERY})
    done = site.jam("doctor")
    assert done.status == 3
    (found,) = (each for each in wrong(done) if each["topic"] == "quotas")
    assert "code storage: 70.0 GB of 80.5 GB" in found["message"]
    assert "jam-deploy gc" in found["hint"]


@pytest.mark.hunt
def test_versioning_that_somebody_turned_on_is_told_and_left_on(site: Site) -> None:
    s3 = client(site, "s3")
    s3.put_bucket_versioning(Bucket=bucket(site), VersioningConfiguration={"Status": "Enabled"})
    done = site.jam("doctor")
    assert (done.status, done.answer["well"]) == (0, True)
    assert any("versioning" in each["message"] for each in done.answer["remarks"])
    assert site.jam("deploy", "--now", "--repair").status == 0
    assert s3.get_bucket_versioning(Bucket=bucket(site))["Status"] == "Enabled"


@pytest.mark.hunt
def test_a_bucket_that_is_gone_is_filled_again_by_the_next_deploy(site: Site) -> None:
    s3, name = client(site, "s3"), bucket(site)
    listed = s3.list_object_versions(Bucket=name)
    for each in (*listed.get("Versions", ()), *listed.get("DeleteMarkers", ())):
        s3.delete_object(Bucket=name, Key=each["Key"], VersionId=each["VersionId"])
    s3.delete_bucket(Bucket=name)
    done = site.jam("doctor")
    assert done.status == 3
    assert {"bucket", "objects"} <= {each["kind"] for each in done.answer["drift"]}
    done = site.jam("deploy", "--now")
    assert (done.status, done.answer["outcome"]) == (0, "live"), done.log
    assert site.visit(done.answer["url"], "/").data.startswith(b"<h1>")
    check_well(site)


@pytest.mark.hunt
def test_a_distribution_that_is_gone_is_made_anew_and_the_new_address_is_told(site: Site) -> None:
    (before,) = site.jam("status").answer["environments"]
    edge = client(site, "cloudfront")
    (one,) = edge.list_distributions()["DistributionList"]["Items"]
    now = edge.get_distribution_config(Id=one["Id"])
    off = {**now["DistributionConfig"], "Enabled": False}
    edge.update_distribution(Id=one["Id"], IfMatch=now["ETag"], DistributionConfig=off)
    edge.get_waiter("distribution_deployed").wait(Id=one["Id"], WaiterConfig={"Delay": 1})
    edge.delete_distribution(
        Id=one["Id"], IfMatch=edge.get_distribution_config(Id=one["Id"])["ETag"]
    )
    done = site.jam("doctor")
    assert done.status == 3
    assert "distribution" in {each["kind"] for each in done.answer["drift"]}
    done = site.jam("deploy", "--now")
    assert (done.status, done.answer["outcome"]) == (0, "live"), done.log
    assert done.answer["url"] != before["url"]
    assert site.visit(done.answer["url"], "/").data.startswith(b"<h1>")
    site.jam("deploy", "--repair")
    check_well(site)


@pytest.mark.hunt
def test_records_that_are_gone_are_made_again_and_it_is_said_what_went_with_them(
    site: Site,
) -> None:
    client(site, "dynamodb").update_table(TableName="jam-meddled", DeletionProtectionEnabled=False)
    client(site, "dynamodb").delete_table(TableName="jam-meddled")
    done = site.jam("doctor")
    assert done.status == 3
    assert any("no records table jam-meddled" in each["message"] for each in wrong(done))
    done = site.jam("deploy", "--now")
    assert (done.status, done.answer["outcome"]) == (0, "live"), done.log
    assert "the records of meddled are gone" in done.log
    assert site.visit(done.answer["url"], "/").data.startswith(b"<h1>")


@pytest.mark.hunt
def test_a_runtime_that_aws_lets_go_of_is_named(site: Site) -> None:
    (site.folder / "jam.toml").write_text(f'{SETTINGS}runtime = "nodejs20.x"\n')
    assert site.jam("deploy", "--now").status == 0
    done = site.jam("doctor")
    assert done.status == 3
    (found,) = (each for each in wrong(done) if each["topic"] == "runtimes")
    assert "function hello: AWS ended support of nodejs20.x" in found["message"]


def bucket(site: Site) -> str:
    listed = client(site, "s3").list_buckets()["Buckets"]
    return str(next(each["Name"] for each in listed if "meddled" in each["Name"]))


def emptied(site: Site) -> None:
    """The key value store, of everything."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "somebody")
        aws = connect(
            region="eu-central-1",
            endpoint=site.endpoint,
            clock=time.monotonic,
            sleep=time.sleep,
            chance=lambda: 0.5,
        )
        store = aws.edge.describe_key_value_store(Name="jam-meddled")["KeyValueStore"]["ARN"]
        keyvalues.drop(aws, store, keys=list(keyvalues.contents(aws, store)))
