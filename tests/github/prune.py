"""Makes `payloads.json` anew, out of the events that people have contributed to Octokit.

    npm pack @octokit/webhooks-examples@VERSION && tar xzf octokit-webhooks-examples-VERSION.tgz
    python -m tests.github.prune package/api.github.com/index.json VERSION

Addresses of the API are left out, and all but the events below. MIT licence: see LICENSE.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("payloads.json")
# The first examples of an event and activity; there are no others of these.
WANTED = (
    ("pull_request", "opened", 3),
    ("pull_request", "synchronize", 1),
    ("pull_request", "reopened", 1),
    ("pull_request", "closed", 2),
    ("pull_request", "labeled", 1),
    ("pull_request", "ready_for_review", 1),
    ("push", None, 7),
    ("workflow_dispatch", None, 2),
    ("workflow_run", "completed", 3),
    ("workflow_run", "requested", 1),
    ("issue_comment", "created", 2),
    ("pull_request_review", "submitted", 1),
    ("release", "published", 1),
    ("merge_group", "checks_requested", 1),
    ("repository_dispatch", "on-demand-test", 1),
)


def main(source: str, version: str) -> None:
    every = json.loads(Path(source).read_bytes())
    by_name = {each["name"]: each["examples"] for each in every}
    kept = [
        {"event": name, "payload": _bare(payload)}
        for name, action, number in WANTED
        for payload in [it for it in by_name[name] if it.get("action") == action][:number]
    ]
    whole = {"from": f"npm:@octokit/webhooks-examples@{version}", "payloads": kept}
    FILE.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _bare(part: Any) -> Any:
    if isinstance(part, list):
        return [_bare(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _bare(value)
        for key, value in part.items()
        if not (key.endswith("_url") and key != "html_url") and key not in ("_links", "url")
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
