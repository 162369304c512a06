"""What a preview is shown by: a value for each of its hosts, with who may see it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from runner.apply import Fence, Known, unfenced
from runner.aws import keyvalues, pool
from runner.aws.session import Aws
from runner.names import PREVIEWS, Names
from runner.package.manifest import compact, routing_form
from runner.plan.previewing import LEASE, Show, TakeHost
from runner.plan.refs import Made, Ref

SECRET = "secret"  # noqa: S105  # a key's name
USER = "preview"


def take_host(aws: Aws, names: Names, *, step: TakeHost, known: Known) -> Known:
    """The preview's host name, and how many previews had it."""
    if step.domain:
        return {Ref(Made.DOMAIN): f"{step.environment}.{step.domain}", LEASE: "1"}
    host = pool.take(aws, names, known=known)
    return {Ref(Made.DOMAIN): host.domain, LEASE: str(host.lease)}


def host_key(host: str) -> str:
    return f"e/{host.lower()}"


def commit_host(host: str, release: str) -> str:
    """The host of one commit's files, below the site's own domain."""
    return f"{release[:8]}--{host}"


def show(
    aws: Aws,
    names: Names,
    *,
    step: Show,
    known: Known,
    fence: Fence = unfenced,
    seen: str = "",
) -> None:
    """From here on the preview's hosts answer with the step's release. `seen` of the store."""
    host, lease, api = known[Ref(Made.DOMAIN)], int(known[LEASE]), known[Ref(Made.API)]
    value = compact(
        {
            "v": 1,
            "e": names.environment,
            "live": step.release,
            "r": routing_form(step.routing),
            **doors(step.environment, password=step.password, bypass=step.bypass),
            **({"n": lease} if lease > 1 else {}),
            **({} if api == known[Ref(Made.API, PREVIEWS)] else {"a": _api_host(names, api)}),
        }
    )
    # The commit's own first: whoever is shown the preview can follow its link.
    own = [commit_host(host, step.release), host] if step.domain else [host]
    routing = keyvalues.routing_keys(
        step.release, step.routing, header_sets=step.header_sets, within=names.within
    )
    puts = {**routing, **{host_key(it): value for it in own}}
    keyvalues.write(aws, known[Ref(Made.STORE)], puts=puts, fence=fence, seen=seen)


def _api_host(names: Names, api: str) -> str:
    return f"{api}.execute-api.{names.region}.amazonaws.com"


def doors(environment: str, *, password: str, bypass: str) -> dict[str, str]:
    """Who may look, as a host's value says it: nothing where everybody may."""
    if not password:
        return {}
    pair = base64.b64encode(f"{USER}:{password}".encode()).decode()
    return {"p": _sha256(f"Basic {pair}"), "b": _sha256(bypass)}


def agrees(shown: Mapping[str, Any], *, release: str, doors: Mapping[str, str]) -> bool:
    """Whether a host shows this release to those who may look."""
    told = {key: shown[key] for key in ("p", "b") if key in shown}
    return shown.get("live") == release and told == doors


def password_of(secret: str, environment: str) -> str:
    """The password that is made up for a preview: the same at each run, known to no record."""
    return _derived(secret, f"password:{environment}")[:16]


def bypass_of(secret: str, environment: str) -> str:
    """What a test sends as `x-jam-bypass` in the password's place."""
    return _derived(secret, f"bypass:{environment}")


def _derived(secret: str, what: str) -> str:
    made = hmac.new(secret.encode(), what.encode(), hashlib.sha256).digest()
    return base64.b32encode(made).decode().rstrip("=").lower()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def hide(aws: Aws, names: Names, store: str) -> None:
    """No host shows the preview any more; its releases' routing goes as well."""
    of_preview = [
        key
        for key, value in keyvalues.contents(aws, store).items()
        if key.startswith(f"r/{names.environment}/") or _is_of(key, value, names.environment)
    ]
    keyvalues.drop(aws, store, keys=of_preview)


def leave(aws: Aws, names: Names, store: str, *, host: str) -> None:
    """The preview is shown by another host: this one, and those of its commits, show nothing."""
    keys = [
        key
        for key, value in keyvalues.contents(aws, store).items()
        if key.endswith(host) and _is_of(key, value, names.environment)
    ]
    keyvalues.drop(aws, store, keys=keys)


def forget(aws: Aws, names: Names, store: str, *, releases: tuple[str, ...], host: str) -> None:
    """These releases of the preview, which has this `host`, are no longer to be found."""
    routing = [f"r/{names.within}{each}" for each in releases]
    has_commits = host.startswith(f"{names.environment}.")  # a host of the pool has none
    commits = [host_key(commit_host(host, each)) for each in releases if has_commits]
    keyvalues.drop(aws, store, keys=[*routing, *commits])


def _is_of(key: str, value: str, environment: str) -> bool:
    if not key.startswith("e/"):
        return False
    try:
        told = json.loads(value)
    except ValueError:  # somebody wrote over it
        return False
    return isinstance(told, dict) and told.get("e") == environment
