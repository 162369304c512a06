"""Pull requests shown: what reviewers, tests and the rest of the world get to see of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from runner.aws.api_room import MOST_STAGES
from runner.errors import JamError
from runner.local.cloud import Cloud
from tests.previews_site import PreviewedSite, Ran, basic

HELLO = """
export default async (request) => Response.json({
  says: "hello VERSION", auth: request.headers.get("authorization"),
  stage: process.env.STAGE ?? "", secret: process.env.KEY ?? "",
});
"""
NOTES = """
import os

def handler(event, context):
    return {"statusCode": 200, "body": os.environ.get("JAM_TABLE_NOTES", "none")}
"""
SETTINGS = '[tables.notes]\nhash = "id:S"\n[functions.notes]\ntables = ["notes:rw"]\n'


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(speed=50.0) as made:
        yield made


@pytest.fixture(scope="module")
def site(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PreviewedSite]:
    """Two pages, two functions, a table; nothing of it is deployed."""
    made = PreviewedSite.in_new_account(cloud, tmp_path_factory.mktemp("shop"))
    _fill(made)
    made.write("public/about.html", "<p>about")
    made.write("public/app.css", "p { color: red }")
    made.write("public/404.html", "<p>not here")
    made.write("public/_redirects", "/old /about 301\n")
    made.write("public/_headers", "/*\n  X-Shop: yes\n")
    made.write("functions/hello.mjs", HELLO.replace("VERSION", "1"))
    made.write("functions/notes.py", NOTES)
    yield made
    made.end()


FILES = {
    "public/index.html": "<p>first",
    "public/about.html": "<p>about",
    "public/app.css": "p { color: red }",
    "public/404.html": "<p>not here",
    "public/_redirects": "/old /about 301\n",
    "public/_headers": "/*\n  X-Shop: yes\n",
    "functions/hello.mjs": HELLO.replace("VERSION", "1"),
    "functions/notes.py": NOTES,
}


@pytest.fixture(autouse=True)
def _as_it_was(site: PreviewedSite) -> None:
    _fill(site)


def _fill(site: PreviewedSite) -> None:
    for folder in ("public", "functions"):
        shutil.rmtree(site.folder / folder, ignore_errors=True)
    for path, text in FILES.items():
        site.write(path, text)
    site.settings(SETTINGS)


@pytest.fixture(scope="module")
def shown(site: PreviewedSite) -> Ran:
    """Pull request 7, before production was ever deployed."""
    return site.preview(7, run=1)


def test_a_private_preview_lets_in_who_knows_the_password(site: PreviewedSite, shown: Ran) -> None:
    stranger = site.visitor(shown.outcome.url)
    refused = stranger.visit("/")
    assert (refused.status, refused.headers["www-authenticate"][:5]) == (401, "Basic")
    assert stranger.visit("/", basic("wrong")).status == 401
    assert stranger.get("/.functions/hello").status == 401
    assert not stranger.cookies
    page = stranger.visit("/", basic(shown.shown.password))
    assert (page.status, page.body[:8]) == (200, b"<p>first")
    assert page.headers["x-robots-tag"] == "noindex"
    assert page.headers["x-shop"] == "yes"


def test_who_was_let_in_once_needs_no_password_and_functions_get_the_sites_own_authorization(
    site: PreviewedSite, shown: Ran
) -> None:
    reviewer = site.visitor(shown.outcome.url)
    reviewer.visit("/", basic(shown.shown.password))
    assert reviewer.get("/app.css").body == b"p { color: red }"
    answer = reviewer.get("/.functions/hello", {"authorization": "Bearer own"})
    told = json.loads(answer.body)
    assert (told["says"], told["auth"]) == ("hello 1", "Bearer own")
    assert answer.headers["x-robots-tag"] == "noindex"
    again = reviewer.get("/.functions/hello", basic(shown.shown.password))
    assert json.loads(again.body)["auth"] is None  # the preview's password is none of theirs


def test_a_test_sends_the_bypass_token(site: PreviewedSite, shown: Ran) -> None:
    test = site.visitor(shown.outcome.url, x_jam_bypass=shown.shown.bypass)
    assert test.visit("/about").body.startswith(b"<p>about")
    assert test.get("/.functions/notes").body == b"jam-shop--pr-7--notes"
    assert site.visitor(shown.outcome.url, x_jam_bypass="wrong").visit("/").status == 401


def test_redirects_and_the_404_page_are_the_sites(site: PreviewedSite, shown: Ran) -> None:
    test = site.visitor(shown.outcome.url, x_jam_bypass=shown.shown.bypass)
    moved = test.visit("/old")
    assert (moved.status, moved.headers["location"]) == (301, "/about")
    missing = test.visit("/nothing")
    assert (missing.status, missing.body[:11]) == (404, b"<p>not here")


def test_the_outcome_tells_where_it_is(site: PreviewedSite, shown: Ran) -> None:
    outcome = shown.outcome
    assert outcome.outcome == "live"
    assert outcome.environment == "pr-7"
    assert outcome.prefix == f"previews/pr-7/releases/{outcome.release}/"
    assert outcome.api_url.endswith(".amazonaws.com/pr-7")
    assert outcome.local_url.startswith("http://")
    assert {each.outcome for each in outcome.checks} == {"passed"}
    assert shown.shown.password not in shown.shown.to_json(access=False) + repr(shown.shown)
    told = json.loads(shown.shown.to_json(access=True))["access"]
    assert told["user"] == "preview"
    assert (told["password"], told["bypass"]) == (shown.shown.password, shown.shown.bypass)


def test_what_nothing_has_changed_is_found_with_few_calls_and_an_older_run_changes_nothing(
    site: PreviewedSite, shown: Ran
) -> None:
    again = site.preview(7, run=2)
    assert (again.outcome.outcome, again.outcome.release) == ("unchanged", shown.outcome.release)
    assert again.outcome.calls <= 10
    assert again.shown.password == shown.shown.password
    site.write("public/app.css", "p { color: late }")
    late = site.preview(7, run=1)
    assert (late.outcome.outcome, late.outcome.release) == ("superseded", shown.outcome.release)
    assert late.outcome.url == shown.outcome.url


def test_a_second_push_brings_what_changed_and_leaves_the_functions_as_they_are(
    site: PreviewedSite, shown: Ran
) -> None:
    old_tab = site.visitor(shown.outcome.url)
    old_tab.visit("/", basic(shown.shown.password))
    site.write("public/app.css", "p { color: blue }")
    pushed = site.preview(7, run=3)
    assert pushed.outcome.url == shown.outcome.url
    assert pushed.outcome.uploaded.files == 1
    assert "CreateDeployment" not in pushed.wire.calls
    assert not [each for each in pushed.wire.calls if "Function" in each]
    assert old_tab.get("/app.css").body == b"p { color: red }"  # its page's own release
    old_tab.visit("/")
    assert old_tab.get("/app.css").body == b"p { color: blue }"


def test_a_changed_function_is_there_after_the_push_and_a_dropped_one_is_gone(
    site: PreviewedSite, shown: Ran
) -> None:
    site.write("functions/hello.mjs", HELLO.replace("VERSION", "2"))
    (site.folder / "functions" / "notes.py").unlink()
    site.settings('[tables.notes]\nhash = "id:S"\n')
    pushed = site.preview(7, run=4)
    test = site.visitor(pushed.outcome.url, x_jam_bypass=shown.shown.bypass)
    assert json.loads(test.get("/.functions/hello").body)["says"] == "hello 2"
    assert test.get("/.functions/notes").status == 404
    assert _functions(site, 7) == {site.names.preview(7).function("hello")}
    # Back to what was there before: its functions are made again.
    _fill(site)
    back = site.preview(7, run=5)
    assert json.loads(test.get("/.functions/hello").body)["says"] == "hello 1"
    assert test.get("/.functions/notes").body == b"jam-shop--pr-7--notes"
    assert back.outcome.release != pushed.outcome.release


def test_a_newer_push_waits_for_no_look_at_an_older_one_which_then_says_that_it_came_too_late(
    site: PreviewedSite,
) -> None:
    newer: list[Ran] = []

    def push() -> None:
        site.write("public/about.html", "<p>about, newest")
        newer.append(site.preview(31, run=2))

    older = site.preview(31, run=1, before={"verify": push})
    assert (older.outcome.outcome, newer[0].outcome.outcome) == ("superseded", "live")
    assert not [note for note in newer[0].watching.notes if note.startswith("waiting")]
    test = site.visitor(newer[0].outcome.url, x_jam_bypass=newer[0].shown.bypass)
    assert test.visit("/about").body.startswith(b"<p>about, newest")


def test_a_preview_that_does_not_show_what_it_should_says_so_and_nobody_has_taken_over(
    site: PreviewedSite,
) -> None:
    bucket = site.names.previews.bucket

    def spoil() -> None:
        found = site.onlooker.s3.list_objects_v2(Bucket=bucket)["Contents"]
        for each in found:
            if "pr-32/" in each["Key"]:
                site.onlooker.s3.delete_object(Bucket=bucket, Key=each["Key"])

    with pytest.raises(JamError) as failed:
        site.preview(32, run=1, before={"verify": spoil})
    assert failed.value.code == "JAM-VERIFY"


def test_two_pull_requests_have_nothing_in_common(site: PreviewedSite, shown: Ran) -> None:
    site.write("functions/hello.mjs", HELLO.replace("VERSION", "of eight"))
    other = site.preview(8, run=1)
    assert other.outcome.url != shown.outcome.url
    assert other.shown.password != shown.shown.password
    eight = site.visitor(other.outcome.url, x_jam_bypass=other.shown.bypass)
    seven = site.visitor(shown.outcome.url, x_jam_bypass=shown.shown.bypass)
    assert json.loads(eight.get("/.functions/hello").body)["says"] == "hello of eight"
    assert json.loads(seven.get("/.functions/hello").body)["says"] == "hello 1"
    assert eight.get("/.functions/notes").body == b"jam-shop--pr-8--notes"
    assert site.visitor(other.outcome.url, x_jam_bypass=shown.shown.bypass).get("/").status == 401
    door = site.visitor(shown.outcome.url)
    door.visit("/", basic(shown.shown.password))
    foreign = site.visitor(other.outcome.url)
    foreign.cookies = door.cookies
    assert foreign.visit("/").status == 401


def test_everybody_may_look_at_a_public_one_and_a_later_run_may_close_the_door(
    site: PreviewedSite,
) -> None:
    public = site.preview(9, run=1, private=False)
    assert (public.shown.password, public.shown.bypass) == ("", "")
    guest = site.visitor(public.outcome.url)
    assert guest.visit("/").status == 200
    closed = site.preview(9, run=2, private=True)
    assert closed.outcome.outcome == "live"
    assert guest.visit("/").status == 401
    assert guest.visit("/", basic(closed.shown.password)).status == 200


def test_a_password_of_the_settings_is_taken_from_where_they_say(site: PreviewedSite) -> None:
    site.settings(SETTINGS + '[preview]\npassword = "env:DOOR"\n')
    with pytest.raises(JamError) as caught:
        site.preview(9, run=3)
    assert caught.value.code == "JAM-PREVIEW-PASSWORD"
    ran = site.preview(9, run=4, environment={"DOOR": "open sesame"})
    assert site.visitor(ran.outcome.url).visit("/", basic("open sesame")).status == 200


def test_a_closed_preview_is_gone_for_everybody_and_comes_back_when_reopened(
    site: PreviewedSite,
) -> None:
    before = site.preview(10, run=1)
    assert site.close(10, run=2).outcome == "removed"
    assert site.visitor(before.outcome.url).visit("/").status == 404
    assert not _functions(site, 10)
    late = site.preview(10, run=1)
    assert late.outcome.outcome == "removed"
    again = site.preview(10, run=3)
    assert again.outcome.outcome == "live"
    test = site.visitor(again.outcome.url, x_jam_bypass=again.shown.bypass)
    assert test.visit("/").body.startswith(b"<p>first")
    assert test.get("/.functions/notes").body == b"jam-shop--pr-10--notes"


def test_what_production_has_published_is_copied_where_it_lies(site: PreviewedSite) -> None:
    site.deploy(run=1)
    site.write("public/new.html", "<p>new")
    ran = site.preview(11, run=1)
    assert ran.outcome.uploaded.files == 1
    assert any("files of production's" in step for step in ran.steps)
    assert ran.shown.published.release
    test = site.visitor(ran.outcome.url, x_jam_bypass=ran.shown.bypass)
    assert test.visit("/new").body.startswith(b"<p>new")
    assert test.get("/app.css").body == b"p { color: red }"


def test_previews_have_their_own_environment_and_secrets(site: PreviewedSite) -> None:
    site.onlooker.parameters.put_parameter(Name="/test/key", Value="a test's", Type="SecureString")
    site.settings(
        '[functions]\nenvironment = { STAGE = "production" }\n'
        'secrets = { KEY = "ssm:/live/key" }\n'
        '[preview]\ntables = "none"\nenvironment = { STAGE = "preview" }\n'
        'secrets = { KEY = "ssm:/test/key" }\n' + SETTINGS
    )
    site.write("functions/hello.mjs", HELLO.replace("VERSION", "secretly"))
    ran = site.preview(12, run=1)
    test = site.visitor(ran.outcome.url, x_jam_bypass=ran.shown.bypass)
    told = json.loads(test.get("/.functions/hello").body)
    assert (told["stage"], told["secret"]) == ("preview", "a test's")
    assert test.get("/.functions/notes").body == b"none"
    policies = _policies(site)
    assert [each for each in policies if "parameter/test/key" in policies[each]]
    site.close(12, run=2)
    assert not [each for each in _policies(site).values() if "parameter/test/key" in each]


FLOWS = """
export default async () => new Response(new ReadableStream({
  start(out) {
    for (const part of ["one ", "two"]) out.enqueue(new TextEncoder().encode(part));
    out.close();
  },
}), { status: 201, headers: { "x-flows": "yes" } });
"""
AS_AWS_SHOWS = """
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  const told = { statusCode: 202, headers: { "x-own": "1" } };
  const out = awslambda.HttpResponseStream.from(stream, told);
  out.write("three ");
  out.end("four");
});
"""
LATER = """
export default async () => new Response("late");
"""


def test_functions_that_stream_answer_whole_and_those_in_the_background_answer_at_once(
    site: PreviewedSite,
) -> None:
    site.write("functions/flows.mjs", FLOWS)
    site.write("functions/shown.mjs", AS_AWS_SHOWS)
    site.write("functions/later.mjs", LATER)
    site.settings(
        SETTINGS + "[functions.flows]\nstream = true\n[functions.shown]\nstream = true\n"
        '[functions.later]\nasync = true\nschedule = "rate(1 day)"\n'
    )
    ran = site.preview(14, run=1)
    test = site.visitor(ran.outcome.url, x_jam_bypass=ran.shown.bypass)
    flows, shown = test.get("/.functions/flows"), test.get("/.functions/shown")
    assert (flows.status, flows.body, flows.headers["x-flows"]) == (201, b"one two", "yes")
    assert (shown.status, shown.body, shown.headers["x-own"]) == (202, b"three four", "1")
    later = test.get("/.functions/later", method="POST")
    assert (later.status, bool(later.headers["x-jam-run"])) == (202, True)
    # Two previews share the program that takes such requests in; a clock runs none of them.
    other = site.preview(15, run=1)
    test = site.visitor(other.outcome.url, x_jam_bypass=other.shown.bypass)
    assert test.get("/.functions/later", method="POST").status == 202
    assert site.onlooker.schedules.list_schedules()["Schedules"] == []


def test_an_applications_paths_are_its_start_document_and_reports_of_errors_go_nowhere(
    site: PreviewedSite,
) -> None:
    site.write("public/index.html", "<!doctype html><html><head></head><body>application")
    shutil.rmtree(site.folder / "functions")
    site.settings("beacon = true\n")  # of [production.rollout]
    site.replace("jam.toml", "[build]\n", "[build]\nspa = true\n")
    ran = site.preview(16, run=1, private=False)
    guest = site.visitor(ran.outcome.url)
    page = guest.visit("/notes/7")
    assert (page.status, b"application" in page.body) == (200, True)
    assert b"jam-beacon/" in page.body
    assert guest.get("/.jam/report").status == 204
    assert guest.get("/.functions/hello").status == 404
    assert ran.outcome.api_url == ""


def test_the_eleventh_api_stage_lies_in_an_api_beside_the_first(site: PreviewedSite) -> None:
    every = {}
    stand = sum(
        len(site.onlooker.api.get_stages(ApiId=each["ApiId"])["Items"])
        for each in site.onlooker.api.get_apis()["Items"]
        if each["Name"] == site.names.previews.api
    )
    numbers = range(20, 20 + MOST_STAGES + 1 - stand)
    for number in numbers:
        site.write("functions/hello.mjs", HELLO.replace("VERSION", f"of {number}"))
        every[number] = site.preview(number, run=1)
    apis = {each.outcome.api_url.split("//")[1].split(".")[0] for each in every.values()}
    assert len(apis) == 2 or len(numbers) == 1
    for number, ran in every.items():
        test = site.visitor(ran.outcome.url, x_jam_bypass=ran.shown.bypass)
        assert json.loads(test.get("/.functions/hello").body)["says"] == f"hello of {number}"
    # A push finds the stage where it is, closing takes it away there.
    last = every[numbers[-1]]
    site.write("functions/hello.mjs", HELLO.replace("VERSION", "pushed"))
    again = site.preview(numbers[-1], run=2)
    assert again.outcome.api_url == last.outcome.api_url
    test = site.visitor(last.outcome.url, x_jam_bypass=last.shown.bypass)
    assert json.loads(test.get("/.functions/hello").body)["says"] == "hello pushed"
    assert site.close(numbers[-1], run=3).outcome == "removed"
    stages = [site.onlooker.api.get_stages(ApiId=each)["Items"] for each in apis]
    assert f"pr-{numbers[-1]}" not in {each["StageName"] for one in stages for each in one}


def test_releases_before_the_last_five_are_let_go_of_and_nobody_waits_for_it(
    site: PreviewedSite,
) -> None:
    pages = []
    for run in range(1, 9):
        site.write("public/index.html", f"<p>{run}")
        site.write("functions/hello.mjs", HELLO.replace("VERSION", f"of run {run}"))
        ran = site.preview(13, run=run)
        pages.append(ran.outcome)
    # The last write is the record, with which the next run may begin.
    writes = [each.operation for each in ran.wire.log if each.writes]
    assert writes[-1] == "TransactWriteItems"
    assert "DeleteObjects" in writes
    bucket, prefix = site.names.previews.bucket, "previews/pr-13/releases/"
    listed: Any = site.onlooker.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
    kept = {each["Key"].split("/")[3] for each in listed["Contents"]}
    assert kept == {each.release for each in pages[2:]}  # the sixth until the next push
    versions = site.onlooker.functions.list_versions_by_function(
        FunctionName=site.names.preview(13).function("hello")
    )["Versions"]
    assert len([each for each in versions if each["Version"] != "$LATEST"]) == 6
    test = site.visitor(pages[-1].url, x_jam_bypass=_bypass(site, 13))
    old = test.get("/", {"x-jam-release": pages[2].release})
    assert old.body.startswith(b"<p>3")


def _bypass(site: PreviewedSite, number: int) -> str:
    return site.preview(number, run=99).shown.bypass


def _functions(site: PreviewedSite, number: int) -> set[str]:
    pages = site.onlooker.functions.get_paginator("list_functions").paginate()
    names = {each["FunctionName"] for page in pages for each in page["Functions"]}
    return {each for each in names if f"--pr-{number}--" in each}


def _policies(site: PreviewedSite) -> dict[str, str]:
    role = site.names.previews.functions_role
    listed = site.onlooker.roles.list_role_policies(RoleName=role)["PolicyNames"]
    return {
        each: json.dumps(
            site.onlooker.roles.get_role_policy(RoleName=role, PolicyName=each)["PolicyDocument"]
        )
        for each in listed
    }
