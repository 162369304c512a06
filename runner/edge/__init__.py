"""The code of router and response function for CloudFront Functions, as shipped.

Static: the same for every release, and for every site but for its own host names. Runtime
cloudfront-js-2.0, at most 10 KB each.
Source: CloudFront developer guide, "Quotas on CloudFront Functions".
"""

from __future__ import annotations

import json
from pathlib import Path

from rjsmin import jsmin

RUNTIME = "cloudfront-js-2.0"
_HERE = Path(__file__).parent
_HOSTS = "HOSTS=[]"


def router_code(hosts: tuple[str, ...] = (), *, previews: bool = False) -> str:
    """The function of viewer-request; of several `hosts` all others lead to the first."""
    kind = ("preview.js", "no_rollout.js") if previews else ("production.js", "rollout.js")
    code = _assemble("choice.js", *kind, "router.js")
    return code.replace(_HOSTS, f"HOSTS={json.dumps(hosts, separators=(',', ':'))}", 1)


def response_code(*, previews: bool = False) -> str:
    """The function of viewer-response."""
    tier = "preview" if previews else "production"
    return _assemble("choice.js", f"{tier}.js", f"{tier}_mark.js", "response.js")


def stream_code() -> str:
    """The function of viewer-request on the paths of functions that stream."""
    return _bare((_HERE / "stream.js").read_text(encoding="utf-8"))


def _assemble(*parts: str) -> str:
    """Imports come first, each a line of its own, as in every program that AWS shows."""
    text = "\n".join((_HERE / part).read_text(encoding="utf-8") for part in parts)
    lines = text.splitlines()
    imports = list(dict.fromkeys(line for line in lines if line.startswith("import ")))
    rest = "\n".join(line for line in lines if line not in imports)
    return "\n".join([*imports, _bare(rest)])


def _bare(text: str) -> str:
    """Without what only people read, which counts like code does."""
    return str(jsmin(text))
