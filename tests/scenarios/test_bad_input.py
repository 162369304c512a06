"""What must fail, fails well: a code, a sentence, a hint, the right status, nothing half done."""

from __future__ import annotations

import urllib3

from tests import warm
from tests.scenarios.conftest import ENVIRONMENT, Site


def refused(site: Site, code: str, status: int, *arguments: str, **how: str) -> dict[str, str]:
    done = site.jam(*(arguments or ("deploy",)), **how)
    assert done.answer["error"]["code"] == code, done.answer
    assert done.status == status
    assert done.error["hint"]
    return done.error


def test_an_unknown_key_is_named_with_its_neighbour(plain):
    plain.replace("jam.toml", "publish", "pulish")
    error = refused(plain, "JAM-SETTINGS", 2)
    assert "did you mean" in error["message"].lower()


def test_an_image_without_an_engine_is_told_as_that(plain):
    plain.environment["DOCKER_HOST"] = "unix:///nowhere/docker.sock"
    file = plain.folder / "jam.toml"
    text = '[build]\nimage = "node:22-slim"\ncommand = "true"\n'
    file.write_text(file.read_text().replace("[build]\n", text))
    assert "Docker engine" in refused(plain, "JAM-BUILD-ENGINE", 2)["message"]


def test_a_missing_publish_folder_is_named(plain):
    plain.replace("jam.toml", '"public"', '"dist"')
    assert "dist" in refused(plain, "JAM-PUBLISH", 2)["message"]


def test_a_failing_build_shows_its_last_lines(plain):
    with (plain.folder / "jam.toml").open("a") as settings:
        settings.write('command = "echo the reason is this; exit 3"\n')
    error = refused(plain, "JAM-BUILD", 2)
    assert "the reason is this" in error["message"]
    assert "status 3" in error["message"]


def test_a_link_out_of_the_publish_folder_is_refused_by_name(plain):
    (plain.folder / "public" / "users.html").symlink_to("/etc/passwd")
    assert "users.html" in refused(plain, "JAM-UNSAFE-FILE", 2)["message"]


def test_two_files_for_one_address_are_both_named(plain):
    (plain.folder / "public" / "about.html").write_text("a")
    (plain.folder / "public" / "about").mkdir()
    (plain.folder / "public" / "about" / "index.html").write_text("b")
    message = refused(plain, "JAM-ROUTE-CLASH", 2)["message"]
    assert "about.html" in message
    assert "about/index.html" in message


def test_a_function_that_throws_on_import_never_goes_live(plain):
    first = plain.deploy()
    folder = plain.folder / "functions"
    folder.mkdir()
    (folder / "hello.js").write_text("throw new Error('no such luck'); exports.handler = 1")
    error = refused(plain, "JAM-FUNCTION-FAILS", 2)
    assert "hello" in error["message"]
    assert "no such luck" in error["hint"]
    assert plain.visit(first["url"], "/").headers["x-jam-release"] == first["release"]
    (folder / "hello.js").write_text("exports.handler = async () => ({ statusCode: 200 })")
    assert plain.deploy()["outcome"] == "live"


def test_without_credentials_nothing_is_begun(plain):
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    kept = {name: value for name, value in plain.environment.items() if name not in keys}
    without = Site(plain.folder, plain.endpoint, kept)
    refused(without, "JAM-CREDS-MISSING", 3, AWS_EC2_METADATA_DISABLED="true")


def test_without_a_region_it_is_said_where_to_put_one(plain):
    kept = {name: v for name, v in plain.environment.items() if name != "AWS_REGION"}
    without = Site(plain.folder, plain.endpoint, kept)
    assert "--region" in refused(without, "JAM-REGION-MISSING", 2)["hint"]


def test_an_endpoint_that_is_down_asks_for_a_second_run(plain):
    down = Site(plain.folder, "http://127.0.0.1:9", plain.environment)
    refused(down, "JAM-ENDPOINT", 75)


def writes(endpoint: str) -> list[dict[str, object]]:
    calls = urllib3.request("GET", f"{endpoint}/_jam/journal").json()["calls"]
    return [call for call in calls if call["write"]]


def test_a_missing_permission_is_named_before_the_first_write(plain):
    before = len(writes(plain.endpoint))
    denied = {"action": "cloudfront:CreateDistribution"}
    urllib3.request("POST", f"{plain.endpoint}/_jam/deny", json=denied)
    try:
        error = refused(plain, "JAM-DENIED", 3)
    finally:
        urllib3.request("DELETE", f"{plain.endpoint}/_jam/deny")
    assert "cloudfront:CreateDistribution" in error["message"] + error["hint"]
    assert len(writes(plain.endpoint)) == before


def test_an_account_without_bootstrap_is_told_the_command_before_the_first_write(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<h1>Hello</h1>")
    with warm.cloud(ENVIRONMENT, log=tmp_path / "log") as fresh:
        error = refused(Site(tmp_path / "site", fresh), "JAM-BOOTSTRAP", 3)
        assert "jam-deploy bootstrap" in error["hint"]
        assert writes(fresh) == []


def test_a_full_disk_loses_nothing(plain):
    (plain.folder / "public" / "large.bin").write_bytes(b"x" * 2_000_000)
    refused(plain, "JAM-DISK-FULL", 75, before="ulimit -f 1000;")
    assert plain.deploy()["outcome"] == "live"
