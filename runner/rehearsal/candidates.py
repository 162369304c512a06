"""The releases that a rehearsal tries to promote: a healthy one, and each kind of broken one.

Pure: from the text of a page or a function to the candidate's. Every candidate passes what is
checked before visitors see it; what is wrong shows with visitors alone. All parts of a candidate
say its build, so that a page of two builds is seen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from runner.entry.answer import LARGEST
from runner.rehearsal.page import BUILD, THROWS
from runner.rehearsal.visitor import BUILD_HEADER

LIVE, TAKEN_BACK = "live", "rolled_back"
# A larger page is stored and published well, and entry cannot give it.
_TOO_LARGE = LARGEST + 1_000_000  # bytes
SLOWER = 10  # times


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What is tried; `signal` is what tells that it is broken, empty if nothing should.

    `calls`: it takes functions to play it. `outage`: the functions' table fails for a while, for
    candidate and baseline alike.
    """

    name: str
    expected: str = TAKEN_BACK
    signal: str = ""
    calls: bool = False
    outage: bool = False


CANDIDATES = (
    Candidate(name="healthy", expected=LIVE),
    Candidate(name="function-throws", signal="functions", calls=True),
    Candidate(name="browser-error", signal="browser"),
    Candidate(name="entry-fails", signal="entry"),
    Candidate(name="missing-chunk", signal="missing"),
    Candidate(name="slow-functions", signal="slow", calls=True),
    Candidate(name="shared-outage", signal="functions", expected=LIVE, calls=True, outage=True),
)
UNBROKEN = Candidate(name="first", expected=LIVE)  # what is live before anything is tried
NAMED: Mapping[str, Candidate] = {each.name: each for each in CANDIDATES}


def page_of(text: str, candidate: Candidate, *, build: str) -> str:
    """A document of the candidate."""
    marked = _into_head(text, f'<meta name="{BUILD}" content="{build}" />')
    added = {
        "healthy": f"<p>A change, rehearsed: {build}</p>",
        "browser-error": f"<script>/* {THROWS} */ null.visitor;</script>",
        "entry-fails": _data(),
        "missing-chunk": f'<script src="/chunk-{build}.js"></script>',
    }
    return _into_body(marked, added[candidate.name]) if candidate.name in added else marked


def function_of(
    text: str, suffix: str, candidate: Candidate, *, build: str, pause: int
) -> str | None:
    """A function of the candidate, or None where its handler is written in no form known here.

    `pause` are the milliseconds by which slow functions are slower.
    """
    if suffix == ".py":
        return _python(text, candidate, build=build, pause=pause)
    return _script(text, suffix, candidate, build=build, pause=pause)


def _into_head(text: str, tag: str) -> str:
    found = re.search(r"<head[^>]*>", text, re.IGNORECASE)
    return f"{text[: found.end()]}{tag}{text[found.end() :]}" if found else f"{text}{tag}"


def _into_body(text: str, added: str) -> str:
    end = text.lower().rfind("</body>")
    return f"{text}{added}" if end < 0 else f"{text[:end]}{added}{text[end:]}"


def _data() -> str:
    """A page that somebody put all of the data into."""
    row = '  {"at": "2026-01-01", "text": "one of too many rows of data in a page"},\n'
    rows = row * (_TOO_LARGE // len(row) + 1)
    return f'<script type="application/json">[\n{rows}  null]</script>'


_EXPORTED = re.compile(
    r"^export\s+(const\s+handler\s*=|async\s+function\s+handler\b)", re.MULTILINE
)
_ASSIGNED = re.compile(r"^(?:module\.)?exports\.handler\s*=", re.MULTILINE)
_ORIGINAL = "jamRehearsed"


def _script(text: str, suffix: str, candidate: Candidate, *, build: str, pause: int) -> str | None:
    if found := _EXPORTED.search(text):
        own = found.group(1).replace("handler", _ORIGINAL)
        before, after = text[: found.start()] + own + text[found.end() :], "export const handler ="
    elif _ASSIGNED.search(text):
        before, after = f"{text}\nconst {_ORIGINAL} = exports.handler;", "exports.handler ="
    else:
        return None
    kind = ": any" if suffix == ".ts" else ""
    original = f"({_ORIGINAL} as any)" if kind else _ORIGINAL
    lines = [
        before,
        f"{after} async (event{kind}, context{kind}) => {{",
        *_SCRIPT_DEFECTS.get(candidate.name, "").format(pause=pause).splitlines(),
        f"  const answer = await {original}(event, context);",
        '  if (typeof answer?.statusCode !== "number") return answer;',
        f'  return {{ ...answer, headers: {{ ...answer.headers, "{BUILD_HEADER}": "{build}" }} }};',
        "};",
    ]
    return "\n".join([*lines, ""])


def _python(text: str, candidate: Candidate, *, build: str, pause: int) -> str | None:
    if not re.search(r"^def handler\(", text, re.MULTILINE):
        return None
    lines = [
        text,
        f"{_ORIGINAL} = handler",
        "",
        "def handler(event, context):",
        *_PYTHON_DEFECTS.get(candidate.name, "").format(pause=pause).splitlines(),
        f"    answer = {_ORIGINAL}(event, context)",
        '    if not isinstance(answer, dict) or "statusCode" not in answer:',
        "        return answer",
        f'    headers = {{**(answer.get("headers") or {{}}), "{BUILD_HEADER}": "{build}"}}',
        '    return {**answer, "headers": headers}',
    ]
    return "\n".join([*lines, ""])


# Visitors bring cookies, and no check before the rollout does: who takes each for JSON fails then.
_SCRIPT_DEFECTS = {
    "function-throws": '  for (const one of event.cookies ?? []) JSON.parse(one.split("=")[1]);',
    "slow-functions": "  await new Promise((done) => setTimeout(done, {pause}));",
}
_PYTHON_DEFECTS = {
    "function-throws": """\
    import json
    for one in event.get("cookies", []):
        json.loads(one.partition("=")[2])""",
    "slow-functions": """\
    import time
    time.sleep({pause} / 1000)""",
}
