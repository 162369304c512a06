"""A pull request's part of the story: opened, pushed to, closed, and what its one comment says."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from runner.fetch import Answer, fetch_from
from runner.local.github import Hands, Hub
from runner.rehearsal.candidates import UNBROKEN
from runner.rehearsal.comment import page_of
from runner.rehearsal.sources import Sources
from runner.rehearsal.stage import Stage, Story, failed
from runner.rehearsal.theatre import AGREE
from runner.rehearsal.workflow import Workflow

_BRANCH = "change"
_URL = re.compile(r"https://[a-z0-9]+\.cloudfront\.net")
_PASSWORD = re.compile(r"password `([^`]+)`|password <code>([^<]+)</code>")


def pull_request(stage: Stage, story: Story, sources: Sources) -> None:
    """Plays it at a GitHub of our own; raises JamError where it goes otherwise than expected."""
    hub = Hub(now=stage.now, sleep=stage.sleep)
    with hub, tempfile.TemporaryDirectory(prefix="jam-workflow-") as folder:
        _Play(stage, story, sources, hub, Path(folder)).play()


class _Play:
    def __init__(
        self, stage: Stage, story: Story, sources: Sources, hub: Hub, folder: Path
    ) -> None:
        self._stage = stage
        self._story = story
        self._sources = sources
        self._hands = Hands.on(hub, f"rehearsal/{stage.site.name}", private=True)
        self._workflow = Workflow(stage, self._hands, folder)
        self._number = 0

    def play(self) -> None:
        begun = self._stage.clock()
        with self._story.step("a pull request is opened") as told:
            self._pushed("first")
            self._number = self._hands.open(_BRANCH, title="A change")
            self._on("opened")
            comment = self._comment()
            url = self._seen(comment, build="first")
            told += [url, f"commented: {self._pictured(comment)}"]
        self._story.previews.append(
            {
                "pr": self._number,
                "url": url,
                "seconds": round(self._stage.clock() - begun, 1),
            }
        )
        with self._story.step("a commit is pushed to it") as told:
            self._pushed("second")
            self._on("synchronize")
            self._seen(self._comment(), build="second")
            told.append("its host shows the new commit; the comment is the same one")
        with self._story.step("the pull request is closed") as told:
            self._hands.close(self._number)
            self._on("closed")
            self._gone(url)
            told.append("its host shows nothing, and what it was made of is gone")

    def _pushed(self, build: str) -> None:
        """What is built is the copy itself: GitHub only has to know that there is a commit."""
        self._sources.write(UNBROKEN, build=f"preview-{build}", pause=0)
        self._hands.push(_BRANCH, {"change": build.encode()})

    def _on(self, action: str) -> None:
        payload = self._hands.event("pull_request", action, self._number)
        sha = self._hands.repository.pulls[self._number].head_sha
        self._workflow.run("pull_request", payload, sha=sha)
        self._stage.cloud("clock", {"advance": AGREE + 1})

    def _comment(self) -> str:
        found = self._hands.repository.comments.values()
        bodies = [each.body for each in found if each.pull == self._number]
        if len(bodies) != 1:
            raise failed(f"the pull request has {len(bodies)} comments, not one")
        return bodies[0]

    def _seen(self, comment: str, *, build: str) -> str:
        """The preview's address; its page asks for the password, and is the commit's."""
        url, password = _URL.search(comment), _PASSWORD.search(comment)
        if url is None or password is None:
            raise failed(f"the comment names no address or no password: {comment[:400]}")
        barred = self._fetched(url[0], {})
        if barred.status != 401:
            raise failed(f"without the password {url[0]} answers {barred.status}, not 401")
        page = self._fetched(url[0], _opened(password[1] or password[2]))
        if page.status != 200 or f"preview-{build}".encode() not in page.body:
            raise failed(f"{url[0]} answers {page.status}, and not with the {build} commit")
        return url[0]

    def _gone(self, url: str) -> None:
        answer = self._fetched(url, {})
        if answer.status != 404:
            raise failed(f"after its closing {url} answers {answer.status}, not 404")

    def _fetched(self, url: str, headers: Mapping[str, str]) -> Answer:
        host = urlsplit(url)
        fetch = fetch_from(f"{host.scheme}://{host.netloc}", connect_to=self._stage.endpoint)
        return fetch("/", {"sec-fetch-mode": "navigate", "accept": "text/html", **headers})

    def _pictured(self, comment: str) -> str:
        """The comment as GitHub shows it, beside the other pictures."""
        page = self._stage.artifacts / "comment.html"
        page.write_text(page_of([comment]), encoding="utf-8")
        browser = self._stage.browser
        if browser is None or not browser.is_there():
            return str(page)
        picture = self._stage.artifacts / "comment.png"
        script = [{"goto": page.resolve().as_uri()}, {"screenshot": str(picture.resolve())}]
        browser.play(script, width=900, height=500)
        return str(picture)


def _opened(password: str) -> dict[str, str]:
    import base64

    pair = base64.b64encode(f"preview:{password}".encode()).decode()
    return {"authorization": f"Basic {pair}"}
