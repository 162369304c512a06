"""examples/notes from its repository to a browser, and a change after that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.local.browser import Browser
from runner.toolchain import find
from tests.scenarios.conftest import Site

STORY = [
    {"see": {"selector": "h1", "text": "Field notes"}},
    {"click": "#new"},
    {"fill": {"selector": "textarea", "text": "Bring **bread**"}},
    {"click": "form button"},
    {"see": {"selector": "#notes li", "text": "Bring **bread**"}},
    {"see": {"selector": "#digest strong", "text": "bread"}},
]


@pytest.fixture(scope="module")
def first(notes: Site) -> dict:
    return notes.deploy()


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Browser:
    found = Browser(node=find(tmp_path_factory.mktemp("cache")).node)
    assert found.is_there(), "make setup installs the browser"
    return found


def test_a_browser_shows_the_page_with_the_data_of_its_functions(notes, first, browser, pictures):
    picture = pictures / "notes.png"
    seen = browser.play([{"goto": first["local_url"]}, *STORY, {"screenshot": str(picture)}])
    assert seen.faults == ()
    assert picture.stat().st_size > 5_000


def test_the_result_says_what_scripts_rely_on(first):
    assert first["site"] == "notes"
    assert first["environment"] == "production"
    assert first["outcome"] == "live"
    assert first["previous"] == ""
    assert first["url"].startswith("https://d")
    assert ".execute-api.eu-central-1.amazonaws.com/" in first["api_url"]
    assert first["prefix"] == f"production/releases/{first['release']}/"
    assert first["uploaded"]["files"] > 5
    assert all(check["outcome"] == "passed" for check in first["checks"])


@pytest.mark.parametrize("path", ["/about", "/about/", "/about.html"])
def test_a_page_has_one_content_under_all_its_addresses(notes, first, path):
    answer = notes.visit(first["url"], path)
    assert answer.status == 200
    assert b"A small site" in answer.data
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/no/such/page", "/home", "/.functions/notes"])
def test_every_answer_has_security_headers_that_nobody_wrote(notes, first, path):
    headers = notes.visit(first["url"], path).headers
    assert headers["strict-transport-security"] == "max-age=31536000"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["referrer-policy"] == "strict-origin-when-cross-origin"
    framed = headers.get("content-security-policy")
    assert framed == ("frame-ancestors 'self'" if path == "/" else None)


def test_redirects_and_rewrites_are_followed_as_written(notes, first):
    moved = notes.visit(first["url"], "/home")
    assert (moved.status, moved.headers["location"]) == (301, "/")
    found = notes.visit(first["url"], "/n/42")
    assert (found.status, found.headers["location"]) == (302, "/?note=42")
    rewritten = notes.visit(first["url"], "/imprint")
    assert rewritten.status == 200
    assert b"A small site" in rewritten.data


def test_what_is_not_there_gets_the_sites_own_page_and_status_404(notes, first):
    answer = notes.visit(first["url"], "/nowhere")
    assert answer.status == 404
    assert b"There is no such page" in answer.data


def test_settings_and_rules_are_never_published(notes, first):
    for path in ("/_headers", "/_redirects", "/.env", "/functions/.env", "/.vite/manifest.json"):
        assert notes.get(first["url"], path).status == 404, path


def test_pages_come_from_the_edge_and_hashed_files_are_kept_for_a_year(notes, first):
    page = notes.visit(first["url"], "/")
    again = notes.visit(first["url"], "/")
    assert again.headers["x-cache"] == "Hit from cloudfront"
    assert page.headers["cache-control"].endswith("must-revalidate")
    script = page.data.decode().split('src="/assets/')[1].split('"')[0]
    answer = notes.get(first["url"], f"/assets/{script}")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not [name for name in answer.headers if name.lower().startswith("x-amz-meta")]


def test_a_note_can_be_written_read_and_deleted_through_the_distribution(notes, first):
    url, all_notes = first["url"], "/.functions/notes/all"
    body = json.dumps({"text": "käse"}).encode()
    made = notes.get(url, all_notes, "GET")
    before = len(json.loads(made.data)["notes"])
    note = json.loads(_post(notes, url, all_notes, body).data)
    assert note["text"] == "käse"
    assert json.loads(notes.get(url, f"/.functions/notes/{note['id']}").data) == note
    assert notes.get(url, f"/.functions/notes/{note['id']}", "DELETE").status == 204
    assert notes.get(url, f"/.functions/notes/{note['id']}").status == 404
    assert len(json.loads(notes.get(url, all_notes).data)["notes"]) == before


def test_the_same_build_again_does_nothing(notes, first):
    again = notes.deploy()
    assert again["outcome"] == "unchanged"
    assert again["release"] == first["release"]
    assert again["calls"] <= 4
    assert again["uploaded"] == {"files": 0, "bytes": 0}


def test_plan_says_what_would_change_and_changes_nothing(notes, first):
    notes.replace("about.html", "A small site", "A tiny site")
    planned = notes.jam("plan").answer
    assert planned["release"] != first["release"]
    assert any("about.html" in line for line in planned["changes"])
    assert set(planned["steps"]) == {"stage", "switch", "settle"}
    assert b"A small site" in notes.visit(first["url"], "/about").data
    notes.replace("about.html", "A tiny site", "A small site")


def test_a_changed_build_shows_the_change_and_old_tabs_find_their_files(
    notes, first, browser, pictures
):
    page = notes.visit(first["url"], "/").data.decode()
    old_script = page.split('src="/assets/')[1].split('"')[0]
    notes.replace("src/main.ts", "Nothing yet. Write the first one.", "Empty so far.")
    notes.replace("index.html", "Kept in DynamoDB", "Now kept in DynamoDB")
    second = notes.deploy()
    assert second["previous"] == first["release"]
    assert second["uploaded"]["files"] < first["uploaded"]["files"]
    assert b"Now kept in DynamoDB" in notes.visit(second["url"], "/").data
    assert notes.get(second["url"], f"/assets/{old_script}").status == 200
    seen = {"see": {"selector": "footer", "text": "Now kept in DynamoDB"}}
    shot = {"screenshot": str(pictures / "notes-changed.png")}
    assert browser.play([{"goto": second["local_url"]}, seen, shot]).faults == ()


def test_a_release_id_depends_on_the_input_alone(notes, first, tmp_path):
    """The same sources in another folder, built anew: the same release, so nothing to do."""
    from runner.rehearsal.stage import copy_of

    other = Site(copy_of(notes.folder, Path(tmp_path)), notes.endpoint)
    assert other.deploy()["outcome"] == "unchanged"


def _post(site: Site, url: str, path: str, body: bytes):
    import urllib3

    return urllib3.request(
        "POST",
        site.endpoint + path,
        headers={"host": url.removeprefix("https://"), "content-type": "application/json"},
        body=body,
    )
