"""How a preview is to be shown, from the settings and the pull request."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from runner.aws import preview_rights, previews
from runner.aws.session import Aws
from runner.aws.written import Environment
from runner.config.load import Config
from runner.config.references import EnvReference, SsmReference, parse_value
from runner.errors import site_error
from runner.model import Release
from runner.names import Names
from runner.plan.preview import Wanted, asking
from runner.world import World


def host_of(config: Config, names: Names, tier: Environment) -> str:
    """The preview's own host below the site's domain for them; empty without one.

    Until that works (`tier`, what previews share, knows) they are shown by hosts of the pool.
    """
    domain = domain_of(config, tier)
    return f"{names.environment}.{domain}" if domain else ""


def domain_of(config: Config, tier: Environment) -> str:
    wanted = config.settings.preview.domain or ""
    works = tier.domains_work and tier.domains == (wanted,)
    return wanted.removeprefix("*.") if works else ""


def wanted_of(
    config: Config,
    names: Names,
    tier: Environment,
    *,
    release: Release,
    password: str,
    bypass: str,
) -> Wanted:
    """Without a `password` everybody may look."""
    tables = config.tables if config.settings.preview.tables == "own" else ()
    functions = (f"function {names.function(each.name)}" for each in release.functions)
    return Wanted(
        environment=names.environment,
        owns=(
            *functions,
            *(f"table {names.table(each.name)}" for each in tables),
            *preview_rights.owned(asking(release), names),
        ),
        tables=tables,
        foundation=_digest([asdict(each) for each in tables]) if tables else "",
        domain=domain_of(config, tier),
        password=password,
        bypass=bypass,
    )


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:32]


def password_of(config: Config, world: World, aws: Aws, *, secret: str, environment: str) -> str:
    """The one that the settings name, else one that is made up."""
    told = config.settings.preview.password
    if not told:
        return previews.password_of(secret, environment)
    match parse_value(told):
        case EnvReference(name):
            found = world.environment.get(name, "")
        case SsmReference(name):
            found = aws.parameter(name)
        case _:
            found = ""
    if not found:
        raise site_error(
            "JAM-PREVIEW-PASSWORD",
            f"[preview] password = {told!r} leads to nothing.",
            hint="Set the variable where jam-deploy runs (in a workflow: under `env`), or leave "
            "the setting out: a password is made up then.",
        )
    return found
