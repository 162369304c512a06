"""What a preview is shown by: a value for each of its hosts, with who may see it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable
from typing import Any

from runner.apply import Fence, Known, unfenced
from runner.aws import keyvalues, pool
from runner.aws.session import Aws
from runner.names import Names
from runner.package.manifest import compact, routing_form
from runner.plan.previewing import Show, TakeHost
from runner.plan.refs import Made, Ref

SECRET = "secret"  # noqa: S105  # a key's name
USER = "preview"


def take_host(aws: Aws, names: Names, *, step: TakeHost, known: Known) -> str:
    """The preview's host name."""
    if step.domain:
        return f"{step.environment}.{step.domain}"
    return pool.take(aws, names, known=known).domain


def host_key(host: str) -> str:
    return f"e/{host.lower()}"


def commit_host(host: str, release: str) -> str:
    """The host of one commit's files, below the site's own domain."""
    return f"{release[:8]}--{host}"


def show(aws: Aws, names: Names, *, step: Show, known: Known, fence: Fence = unfenced) -> None:
    """From here on the preview's hosts answer with the step's release."""
    store, host = known[Ref(Made.STORE)], known[Ref(Made.DOMAIN)]
    lease = pool.taken_by(aws, names) if not step.domain else None
    value = compact(
        {
            "v": 1,
            "e": names.environment,
            "live": step.release,
            "r": routing_form(step.routing),
            **_doors(aws, store, step=step),
            **({"n": lease.lease} if lease and lease.lease > 1 else {}),
        }
    )
    own = [host, commit_host(host, step.release)] if step.domain else [host]
    puts = {host_key(each): value for each in reversed(own)}
    keyvalues.write(aws, store, puts=puts, fence=fence)


def _doors(aws: Aws, store: str, *, step: Show) -> dict[str, str]:
    """Who may look: nothing where everybody may."""
    if not step.private:
        return {}
    secret = keyvalues.secret(aws, store, key=SECRET)
    password = step.password or password_of(secret, step.environment)
    pair = base64.b64encode(f"{USER}:{password}".encode()).decode()
    return {"p": _sha256(f"Basic {pair}"), "b": _sha256(bypass_of(secret, step.environment))}


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


def _is_of(key: str, value: str, environment: str) -> bool:
    return key.startswith("e/") and json.loads(value).get("e") == environment


def shown(aws: Aws, store: str, *, hosts: Iterable[str]) -> str:
    """The release that all of these hosts show; empty where they differ."""
    found: set[Any] = set()
    for host in hosts:
        value = keyvalues.get(aws, store, key=host_key(host))
        found.add(json.loads(value).get("live", "") if value else "")
    return str(found.pop()) if len(found) == 1 else ""
