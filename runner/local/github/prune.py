"""Makes `description.json` anew: the operations that we use, out of GitHub's own description.

    npm pack @octokit/openapi@VERSION && tar xzf octokit-openapi-VERSION.tgz
    python -m runner.local.github.prune package/generated/api.github.com.json VERSION

The description is under the MIT licence; `LICENSE` beside it is the package's own.
Prose, examples and discriminators are left out: they judge nothing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("description.json")
_REPOSITORY = "/repos/{owner}/{repo}"
OPERATIONS = (
    ("get", "/rate_limit"),
    ("get", "/user"),
    ("get", _REPOSITORY),
    ("get", f"{_REPOSITORY}/actions/runs/{{run_id}}"),
    ("post", f"{_REPOSITORY}/check-runs"),
    ("get", f"{_REPOSITORY}/check-runs/{{check_run_id}}"),
    ("patch", f"{_REPOSITORY}/check-runs/{{check_run_id}}"),
    ("get", f"{_REPOSITORY}/check-runs/{{check_run_id}}/annotations"),
    ("get", f"{_REPOSITORY}/collaborators/{{username}}/permission"),
    ("get", f"{_REPOSITORY}/commits/{{commit_sha}}/pulls"),
    ("get", f"{_REPOSITORY}/commits/{{ref}}/check-runs"),
    ("get", f"{_REPOSITORY}/commits/{{ref}}/statuses"),
    ("get", f"{_REPOSITORY}/compare/{{basehead}}"),
    ("get", f"{_REPOSITORY}/contents/{{path}}"),
    ("get", f"{_REPOSITORY}/deployments"),
    ("post", f"{_REPOSITORY}/deployments"),
    ("get", f"{_REPOSITORY}/deployments/{{deployment_id}}"),
    ("delete", f"{_REPOSITORY}/deployments/{{deployment_id}}"),
    ("get", f"{_REPOSITORY}/deployments/{{deployment_id}}/statuses"),
    ("post", f"{_REPOSITORY}/deployments/{{deployment_id}}/statuses"),
    ("get", f"{_REPOSITORY}/environments"),
    ("get", f"{_REPOSITORY}/environments/{{environment_name}}"),
    ("get", f"{_REPOSITORY}/issues/{{issue_number}}/comments"),
    ("post", f"{_REPOSITORY}/issues/{{issue_number}}/comments"),
    ("get", f"{_REPOSITORY}/issues/comments/{{comment_id}}"),
    ("patch", f"{_REPOSITORY}/issues/comments/{{comment_id}}"),
    ("delete", f"{_REPOSITORY}/issues/comments/{{comment_id}}"),
    ("get", f"{_REPOSITORY}/pulls"),
    ("get", f"{_REPOSITORY}/pulls/{{pull_number}}"),
    ("post", f"{_REPOSITORY}/statuses/{{sha}}"),
)
_PROSE = (
    "description",
    "example",
    "examples",
    "externalDocs",
    "summary",
    "tags",
    "title",
    "discriminator",
)
_NAMED = frozenset({"properties", "schemas", "parameters", "responses", "headers"})


def pruned(whole: dict[str, Any], *, version: str) -> dict[str, Any]:
    """Raises KeyError for an operation that GitHub does not have."""
    paths: dict[str, Any] = {}
    for method, path in OPERATIONS:
        paths.setdefault(path, {})[method] = _bare(whole["paths"][path][method])
    parts: dict[str, Any] = {}
    _collect(paths, whole["components"], parts)
    return {
        "openapi": whole["openapi"],
        "info": {
            "title": whole["info"]["title"],
            "version": whole["info"]["version"],
            "license": whole["info"]["license"],
            "x-pruned-from": f"npm:@octokit/openapi@{version}",
        },
        "paths": paths,
        "components": parts,
    }


def _bare(part: Any, *, names: bool = False) -> Any:
    """Without prose; `names` says that the keys are names of the API's own, all to be kept."""
    if isinstance(part, list):
        return [_bare(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _bare(value, names=key in _NAMED and not names)
        for key, value in part.items()
        if names or (key not in _PROSE and not key.startswith("x-"))
    }


def _collect(part: Any, source: dict[str, Any], parts: dict[str, Any]) -> None:
    """Copies into `parts` what `part` refers to, directly or not."""
    for each in part.values() if isinstance(part, dict) else part:
        if isinstance(each, dict | list):
            _collect(each, source, parts)
    reference = part.get("$ref") if isinstance(part, dict) else None
    if not isinstance(reference, str):
        return
    _, _, kind, name = reference.split("/", 3)
    if name not in parts.setdefault(kind, {}):
        parts[kind][name] = _bare(source[kind][name])
        _collect(parts[kind][name], source, parts)


def main(source: str, version: str) -> None:
    whole = json.loads(Path(source).read_bytes())
    text = json.dumps(pruned(whole, version=version), indent=1, sort_keys=True)
    FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
