"""Going back and staying there: rollback, hold and order, as a person or a workflow sees them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.aws import api, api_room, keyvalues
from runner.aws.session import connect
from runner.names import Names
from tests.scenarios.conftest import Site

RUN = {
    "GITHUB_WORKFLOW": "deploy",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_REPOSITORY": "octo/site",
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_ACTOR": "ada",
}


def run(number: int, commit: str, *, attempt: int = 1) -> dict[str, str]:
    return {
        **RUN,
        "GITHUB_RUN_NUMBER": str(number),
        "GITHUB_RUN_ATTEMPT": str(attempt),
        "GITHUB_RUN_ID": f"9{number}",
        "GITHUB_SHA": commit * 40,
    }


# No program, GitHub's server or registry can be reached: whoever tries is refused at once.
REFUSED = "http://127.0.0.1:9"
NOWHERE = {
    "PATH": "/nowhere",
    "GITHUB_API_URL": REFUSED,
    "npm_config_registry": REFUSED,
    "UV_INDEX_URL": REFUSED,
    "HTTP_PROXY": REFUSED,
    "HTTPS_PROXY": REFUSED,
    "NO_PROXY": "127.0.0.1,.localhost",
}
# And the network is cut: Python imports this first of all. A name is asked for before its address.
CUT = """
import errno, sys

def stays(host):
    if isinstance(host, bytes):
        host = host.decode()
    return not host or host in ("localhost", "::1") or host.endswith(".localhost") \
        or host.startswith("127.")

def cut(event, details):
    if event == "socket.getaddrinfo":
        host = details[0]
    elif event in ("socket.connect", "socket.sendto") and isinstance(details[1], tuple):
        host = details[1][0]
    else:
        return
    if not stays(host):
        with open(__file__ + ".log", "a") as log:
            print(event, host, file=log)
        raise OSError(errno.ENETUNREACH, "the network is cut")

sys.addaudithook(cut)
"""


@dataclass(frozen=True)
class Cut:
    """No network beyond this machine, and no program."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {**NOWHERE, "PYTHONPATH": str(self.folder)}

    @property
    def tried(self) -> str:
        """What was to be reached all the same."""
        log = self.folder / "sitecustomize.py.log"
        return log.read_text() if log.exists() else ""


@pytest.fixture
def cut(tmp_path: Path) -> Cut:
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "sitecustomize.py").write_text(CUT)
    return Cut(tmp_path / "cut")


def deployed(site: Site, number: int, commit: str, *options: str) -> dict:
    done = site.jam("deploy", "--now", *options, **run(number, commit))
    assert done.status == 0, done.log[-3000:] + json.dumps(done.answer)
    return done.answer


def page(site: Site, answer: dict) -> str:
    return site.visit(answer["url"], "/").data.decode()


def writes(site: Site, since: int = 0) -> tuple[int, list[str]]:
    """The journal's last number, and the writes after `since`."""
    with urllib.request.urlopen(f"{site.endpoint}/_jam/journal?since={since}") as answer:
        told = json.load(answer)
    calls = [f"{each['service']}:{each['operation']}" for each in told["calls"] if each["write"]]
    return told["last"], calls


@pytest.fixture
def changed(plain: Site) -> tuple[Site, dict, dict]:
    """A site that was deployed twice."""
    first = deployed(plain, 5, "a")
    plain.replace("public/index.html", "Hello", "Bye")
    return plain, first, deployed(plain, 6, "b")


def test_whoever_leaves_the_machine_while_the_network_is_cut_fails_and_is_told(cut):
    ask = "import urllib.request as it; it.urlopen('https://registry.npmjs.org')"
    environment = {"PYTHONPATH": str(cut.folder)}
    program = [sys.executable, "-c", ask]
    asked = subprocess.run(program, env=environment, stderr=subprocess.PIPE, check=False)
    assert b"the network is cut" in asked.stderr
    assert "registry.npmjs.org" in cut.tried


def test_going_back_moves_pointers_alone_and_holds(changed, cut):
    site, first, second = changed
    before = site.jam("rollback", "--plan").answer
    assert before["release"] == first["release"]
    assert "index.html" in " ".join(before["changes"])
    assert "Bye" in page(site, second)
    last, _ = writes(site)
    done = site.jam("rollback", **cut.environment, **run(6, "b"))
    assert cut.tried == ""
    lease, *pointers, record = writes(site, last)[1]
    assert lease == "dynamodb:UpdateItem"
    assert sorted(pointers) == ["cloudfront-keyvaluestore:UpdateKeys", "lambda:UpdateAlias"]
    assert record == "dynamodb:TransactWriteItems"  # with the hold and the end of the lease
    assert (done.status, done.answer["outcome"]) == (0, "live"), done.log
    assert done.answer["previous"] == second["release"]
    assert "Hello" in page(site, second)
    site.replace("public/index.html", "Bye", "Newer")
    held = deployed(site, 7, "c")
    assert held["outcome"] == "held"
    assert "Hello" in page(site, second)
    listed = {each["release"]: each for each in site.jam("releases").answer["releases"]}
    assert listed[first["release"]]["state"] == "live"
    assert listed[held["release"]]["state"] == "ready"
    assert site.jam("releases").answer["hold"]["by"] == "ada"
    assert site.jam("unhold").status == 0
    assert "Hello" in page(site, second)
    assert deployed(site, 8, "c")["outcome"] == "live"
    assert "Newer" in page(site, second)


@pytest.mark.hunt
def test_going_back_takes_less_than_three_seconds_with_the_network_cut(changed, cut):
    site, first, second = changed
    releases = [each["release"] for each in (first, second) * 2]
    took = [site.jam("rollback", each, "--no-hold", **cut.environment) for each in releases]
    assert [each.answer["outcome"] for each in took] == ["live"] * 4
    assert min(each.answer["seconds"] for each in took) < 3.0
    assert cut.tried == ""
    assert "Bye" in page(site, second)


def test_an_older_run_changes_nothing_and_a_rerun_of_it_neither(changed):
    site, _, second = changed
    site.replace("public/index.html", "Bye", "Old")
    for attempt in (1, 2):
        done = site.jam("deploy", "--now", **run(5, "a", attempt=attempt))
        assert (done.status, done.answer["outcome"]) == (0, "superseded"), done.log
        assert "run 6" in done.log
        assert "build" not in done.log
    assert "Bye" in page(site, second)


def test_what_is_gone_is_named_before_anything_moves(changed):
    site, first, second = changed
    answer = site.jam("rollback", "ffffffff")
    assert (answer.status, answer.error["code"]) == (2, "JAM-ROLLBACK-UNKNOWN")
    assert site.jam("rollback", first["release"][:8], "--no-hold").status == 0
    again = site.jam("rollback")
    assert again.error["code"] == "JAM-ROLLBACK-NOTHING"
    forward = site.jam("rollback", second["release"][:10], "--no-hold")
    assert forward.answer["release"] == second["release"]
    assert "Bye" in page(site, second)


def test_going_back_during_a_rollout_takes_the_candidate_back_first(changed):
    site, _, second = changed
    site.replace("public/index.html", "Bye", "Candidate")
    opened = site.jam("deploy", "--no-wait", **run(9, "d"))
    assert (opened.status, opened.answer["outcome"]) == (0, "open"), opened.log[-3000:]
    older = site.jam("deploy", "--now", **run(8, "c"))
    assert older.answer["outcome"] == "superseded", older.log
    done = site.jam("rollback")
    assert (done.status, done.answer["outcome"]) == (0, "live"), done.log
    assert done.answer["release"] == second["release"]
    card = json.loads(site.get(second["url"], "/.jam/version.json").data)
    assert (card["release"], card.get("candidate")) == (second["release"], None)
    assert "Bye" in page(site, second)
    assert site.jam("settle").answer["outcome"] == "unchanged"


HELLO = "export default async () => new Response('WORD');"


def browse(site: Site, jar: dict[str, str], url: str, path: str, **headers: str):
    """A browser with a jar: sends what it was given, and keeps what it is told to."""
    told = "; ".join(f"{name}={value}" for name, value in jar.items())
    got = site.get(url, path, cookie=told, **headers) if told else site.get(url, path, **headers)
    for line in got.headers.getlist("set-cookie"):
        cookie, *attributes = line.split("; ")
        name, _, value = cookie.partition("=")
        jar[name] = value
        if "Max-Age=0" in attributes:
            del jar[name]
    return got


def navigate(site: Site, jar: dict[str, str], url: str, path: str):
    return browse(site, jar, url, path, sec_fetch_mode="navigate", accept="text/html")


def told_by(site: Site, jar: dict[str, str], url: str) -> tuple[str, str, str]:
    """What a visitor gets: the page, a file of it and a function."""
    page = navigate(site, jar, url, "/").data.decode()
    file = browse(site, jar, url, "/app.js", sec_fetch_mode="no-cors").data.decode()
    answer = browse(site, jar, url, "/.functions/hello", sec_fetch_mode="cors").data.decode()
    return page, file, answer


def test_an_older_release_opens_by_its_address_with_all_that_is_its_own(plain, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, plain.environment[name])
    (plain.folder / "functions").mkdir()
    releases = []
    for number, word in enumerate(["one", "two"], start=1):
        (plain.folder / "functions" / "hello.mjs").write_text(HELLO.replace("WORD", word))
        (plain.folder / "public" / "index.html").write_text(word)
        (plain.folder / "public" / "app.js").write_text(word)
        releases.append(deployed(plain, number, "ab"[number - 1]))
    url, old = releases[1]["url"], releases[0]["release"]
    drop_stage(plain, old)
    last, _ = writes(plain)
    opened = plain.jam("releases", "--open", old[:8], **run(3, "c"))
    assert opened.status == 0, opened.log
    assert not {"s3:PutObject", "lambda:UpdateAlias"} & {*writes(plain, last)[1]}
    link = opened.answer["url"].removeprefix(url)

    mine, other = {}, {}
    followed = navigate(plain, mine, url, link)
    assert (followed.status, followed.headers["location"]) == (302, "/")
    assert "token" not in followed.headers["location"]
    assert told_by(plain, mine, url) == ("one",) * 3
    assert told_by(plain, other, url) == ("two",) * 3
    kept = browse(plain, mine, url, "/app.js")
    assert kept.headers["cache-control"] == "private, no-store"
    assert "no-store" not in browse(plain, other, url, "/app.js").headers["cache-control"]
    assert navigate(plain, {}, url, link.replace(old, releases[1]["release"])).status == 403

    again = plain.jam("releases", "--open", old[:8])
    last, _ = writes(plain)
    assert plain.jam("releases", "--open", old[:8]).status == 0
    assert writes(plain, last)[1] == ["dynamodb:UpdateItem"]  # that gc leaves it
    left = navigate(plain, mine, url, "/.jam/open")
    assert left.headers["location"] == "/"
    assert told_by(plain, mine, url) == ("two",) * 3

    navigate(plain, mine, url, again.answer["url"].removeprefix(url))
    assert told_by(plain, mine, url) == ("one",) * 3
    assert plain.jam("releases", "--close").status == 0
    assert told_by(plain, mine, url) == ("two",) * 3
    unknown = plain.jam("releases", "--open", "ffff")
    assert (unknown.status, unknown.error["code"]) == (2, "JAM-ROLLBACK-UNKNOWN")


def drop_stage(site: Site, release: str) -> None:
    """As `settle` does once six others came after it: the api_stage goes, and its routing."""
    aws = connect(
        region=site.environment["AWS_REGION"],
        endpoint=site.endpoint,
        clock=time.time,
        sleep=time.sleep,
        chance=lambda: 0.5,
    )
    names = Names(site.jam("status").answer["site"], aws.account, aws.region)
    store, api_id = keyvalues.find(aws, names), api.find(aws, names)
    assert store
    assert api_id
    routing = json.loads(keyvalues.get(aws, store, key=f"r/{release}") or "{}")
    keyvalues.drop(aws, store, keys=[f"r/{release}"])
    api_room.drop_stage(aws, api_id, api_stage=routing["s"])
