"""The script that reports browser errors: how it gets into pages, and where it stays out."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from runner.beacon import LARGEST, script
from runner.build.publish import Found
from runner.model import Kind
from runner.package import beacon
from runner.package.release import assemble

TAG = f'<script src="/{beacon.file_name()}"></script>'


def _found(folder: Path, path: str, content: bytes) -> Found:
    source = folder / hashlib.sha256(path.encode()).hexdigest()
    source.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return Found(path=path, digest=digest, size=len(content), source=source)


def _page(folder: Path, content: str, path: str = "index.html") -> str:
    page, _ = beacon.added([_found(folder, path, content.encode())], folder / "store")
    return page.source.read_bytes().decode()


def test_the_script_is_at_most_a_kilobyte() -> None:
    assert len(script()) <= LARGEST


@pytest.mark.parametrize(
    "page",
    [
        "<!doctype html><html><head><title>a</title>|</head><body></body></html>",
        '<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n|<script src="a.js"></script>',
        "<!-- <script> --><html><head>|<link rel=stylesheet href=a.css><script></script></head>",
        "<!doctype html><title><script></title>|<p>no head at all</p>",
        "<!doctype html>\x85\n<head>\u2028é|<style>p{}</style></head>",
        f"<!doctype html><head><meta name=d content='{'x' * 9000}'>|</head>",
    ],
)
def test_the_script_comes_before_whatever_may_fail(tmp_path: Path, page: str) -> None:
    assert _page(tmp_path, page.replace("|", "")) == page.replace("|", TAG)


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("row.html", "<li>a piece that a script fetches</li>"),
        ("data.json", "<!doctype html><head></head>"),
        ("wide.html", "<html><head></head>".encode("utf-16").decode("latin-1")),
    ],
)
def test_what_is_no_whole_page_stays_as_it_is(tmp_path: Path, path: str, content: str) -> None:
    file = _found(tmp_path, path, content.encode("latin-1"))
    page, _ = beacon.added([file], tmp_path / "store")
    assert page == file


def test_the_script_is_kept_by_browsers_and_shared_by_releases(tmp_path: Path) -> None:
    files = beacon.added(
        [_found(tmp_path, "index.html", b"<!doctype html><head></head>")], tmp_path / "store"
    )
    release = assemble(files, tmp_path / "store", immutable=(beacon.PATTERN,))
    kinds = {file.path: file.kind for file in release.files}
    assert kinds == {"index.html": Kind.DOCUMENT, beacon.file_name(): Kind.IMMUTABLE}
    again = assemble(reversed(files), tmp_path / "store", immutable=(beacon.PATTERN,))
    assert again.id == release.id


@pytest.mark.parametrize(
    ("policy", "against"),
    [
        ("default-src 'self'", []),
        ("script-src 'self' https://cdn.example; connect-src *", []),
        ("img-src 'none'", []),
        ("script-src 'nonce-abc' 'strict-dynamic'", ["script-src 'nonce-abc' 'strict-dynamic'"]),
        ("default-src 'none'; script-src 'self'", ["default-src 'none'"]),
        ("script-src-elem https://cdn.example; script-src 'self'", ["script-src-elem https://cdn.example"]),
    ],
)  # fmt: skip
def test_a_policy_that_forbids_the_script_is_named(
    tmp_path: Path, policy: str, against: list[str]
) -> None:
    pages = [_found(tmp_path, "index.html", b""), _found(tmp_path, "a.css", b"")]
    found = beacon.forbidden(pages, lambda _: (("Content-Security-Policy", policy),))
    assert list(found) == [("index.html", each) for each in against]


@pytest.mark.parametrize(
    ("head", "against"),
    [
        ('<META Http-Equiv="Content-Security-Policy" content="script-src &#39;none&#39;">', 1),
        ("<meta http-equiv=content-security-policy content=\"default-src 'none'\">", 2),
        ("<meta http-equiv=content-security-policy content=\"default-src 'self'\">", 0),
        # What comes after the script cannot keep it from running, and may keep it from telling.
        ("<link><meta http-equiv=content-security-policy content=\"default-src 'none'\">", 1),
        ("<meta name=description content=\"default-src 'none'\">", 0),
        ("</head><meta http-equiv=content-security-policy content=\"default-src 'none'\">", 0),
        ("<!-- <meta http-equiv=content-security-policy content=\"default-src 'none'\"> -->", 0),
    ],
)
def test_a_policy_in_the_page_itself_is_named_like_one_in_a_header(
    tmp_path: Path, head: str, against: int
) -> None:
    page = _found(tmp_path, "index.html", f"<!doctype html><html><head>{head}".encode())
    pages = beacon.added([page], tmp_path / "store")
    assert len(list(beacon.forbidden(pages, lambda _: ()))) == against
