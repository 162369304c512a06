"""Writes tests/rights_asked.json: for each role and action one request of the whole story.

`python -m tests.rights_record`; a hunt plays it as well, and says where the file is out of date.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from runner.local.cloud import Cloud
from runner.local.rights.ask import Ask
from tests.rights_story import WholeSite

ASKED = Path(__file__).with_name("rights_asked.json")
ROLES = {"jam-production": "production", "jam-preview": "preview"}

Asked = dict[tuple[str, str], Ask]


def recorded(folder: Path) -> Asked:
    """What is asked first of each, of what is allowed where anything is; raises what a command
    ends in."""
    found: Asked = {}
    refused: Asked = {}

    def heard(role: str, ask: Ask, is_allowed: bool) -> None:
        name = ROLES.get(role.rpartition("/")[2])
        if name:
            (found if is_allowed else refused).setdefault((name, ask.action), ask)

    with Cloud(speed=50.0) as cloud:
        site = WholeSite.whole(cloud, folder)
        cloud.rights.heard = heard
        for name, error in site.play():
            print(name, error or "", file=sys.stderr, flush=True)
            if error:
                raise error
        site.end()
    return refused | found


def written(asked: Asked) -> str:
    """A line each, in order."""
    lines = [
        json.dumps([role, action, ask.resource, dict(ask.context)])
        for (role, action), ask in sorted(asked.items())
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n"


def read() -> list[tuple[str, Ask]]:
    """Roles, and what they ask."""
    told = json.loads(ASKED.read_text())
    return [(role, Ask(action, resource, context)) for role, action, resource, context in told]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        ASKED.write_text(written(recorded(Path(made))))
