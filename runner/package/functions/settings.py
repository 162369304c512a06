"""How a function is to run: defaults, what the site sets for all, what it sets for one. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from runner.config.cron import expression
from runner.errors import Problem
from runner.model import Admission, Authorizer, Background, Grants, Hosting, Upkeep
from runner.names import table_variable
from runner.package.functions.admission import admission
from runner.package.functions.discover import Language, Source
from runner.package.functions.runtimes import names

RUNTIMES = {language: names(language) for language in Language}  # newest last
DEFAULT_RUNTIME = {Language.NODE: "nodejs24.x", Language.PYTHON: "python3.13"}
# Native packages that `npm ci` puts beside a function are the builder's: GitHub's runners and most
# machines are x86_64, and so the same zip runs on the embedded cloud. arm64 is one line away.
DEFAULT_ARCHITECTURE = "x86_64"
ARCHITECTURES = ("x86_64", "arm64")
# MB; a function's share of CPU grows with it, so the least (128) is also the slowest to start.
# Source: Lambda developer guide, "Configure Lambda function memory".
DEFAULT_MEMORY = 256
DEFAULT_TIMEOUT = 10  # seconds
STREAMED_METHODS = ("GET", "HEAD")  # what a function with `stream` can answer
METHODS = ("ANY", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
MEMORY = (128, 10_240)  # MB. Source: Lambda developer guide, "Lambda quotas"
# Seconds; an HTTP API gives up on its integration after 30, Lambda on a function after 900.
# Sources: API Gateway developer guide, "Quotas for configuring and running an HTTP API"; Lambda
# developer guide, "Lambda quotas".
TIMEOUT, ALONE = (1, 30), (1, 900)
# Netlify gives its functions that run in the background 15 minutes, and the name to tell them by.
# Source: Netlify docs, "Background Functions".
BACKGROUND_TIMEOUT = 900  # seconds
BACKGROUND_NAME = "-background"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSettings:
    """One section of settings; None leaves a value to the section above, then to the default.

    `memory` is in MB, `timeout` in seconds. `external` are npm packages that stay out of the
    bundle (`@aws-sdk/*`), `included_files` globs from the site's root. `runtime` counts for the
    functions of its own language.
    """

    runtime: str | None = None
    architecture: str | None = None
    memory: int | None = None
    timeout: int | None = None
    methods: tuple[str, ...] | None = None
    external: tuple[str, ...] | None = None
    included_files: tuple[str, ...] | None = None
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    tables: tuple[tuple[str, str], ...] | None = None
    invoke: tuple[str, ...] | None = None
    secrets: tuple[tuple[str, str], ...] = ()
    layers: tuple[str, ...] | None = None
    subnets: tuple[str, ...] | None = None
    security_groups: tuple[str, ...] | None = None
    tracing: bool | None = None
    log_days: int | None = None
    reserved: int | None = None
    schedule: str | None = None
    background: bool | None = None
    retries: int | None = None
    stream: bool | None = None
    authorizer: str | None = None
    scopes: tuple[str, ...] | None = None
    throttle: tuple[float, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionsSettings:
    """`[functions]`, and `[functions.NAME]` by the function's name (`notes/[id]`).

    `tables` gives the DynamoDB name of each of the site's tables, `authorizers` those by name.
    """

    common: FunctionSettings = FunctionSettings()
    named: Mapping[str, FunctionSettings] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)
    authorizers: Mapping[str, Authorizer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What one function runs with; nothing is left open."""

    runtime: str
    architecture: str
    memory: int
    timeout: int
    methods: tuple[str, ...]
    external: tuple[str, ...]
    included_files: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = field(repr=False)
    grants: Grants
    hosting: Hosting
    upkeep: Upkeep
    background: Background
    admission: Admission
    stream: bool


def configure(source: Source, settings: FunctionsSettings) -> Configuration:
    """The configuration of one function: its own section, then the common one, then defaults."""
    own = settings.named.get(source.name, FunctionSettings())
    common = settings.common
    hosting = _hosting(own, common)
    background = _background(source, own, common)
    stream = bool(common.stream if own.stream is None else own.stream)
    grants = _grants(source.name, own, common, hosting=hosting)
    grants = replace(grants, failures=bool(background))
    told = {table_variable(table): settings.tables.get(table, "") for table, _ in grants.tables}
    variables = {**told, **dict(common.environment), **dict(own.environment)}
    return Configuration(
        runtime=_runtime(source.language, own, common),
        architecture=own.architecture or common.architecture or DEFAULT_ARCHITECTURE,
        memory=_first(own.memory, common.memory, DEFAULT_MEMORY),
        timeout=_first(
            own.timeout,
            common.timeout,
            BACKGROUND_TIMEOUT if background.requests else DEFAULT_TIMEOUT,
        ),
        methods=_methods(own, common, background=background, stream=stream),
        external=tuple(sorted({*(common.external or ()), *(own.external or ())})),
        # In their order: a pattern with `!` takes away from those before it.
        included_files=(*(common.included_files or ()), *(own.included_files or ())),
        environment=tuple(sorted(variables.items())),
        grants=grants,
        hosting=hosting,
        upkeep=_upkeep(own, common),
        background=background,
        admission=admission(own, common, settings.authorizers),
        stream=stream,
    )


def _hosting(own: FunctionSettings, common: FunctionSettings) -> Hosting:
    subnets = common.subnets if own.subnets is None else own.subnets
    groups = common.security_groups if own.security_groups is None else own.security_groups
    return Hosting(
        layers=(common.layers if own.layers is None else own.layers) or (),
        subnets=tuple(sorted(subnets or ())),
        security_groups=tuple(sorted(groups or ())),
        tracing=bool(common.tracing if own.tracing is None else own.tracing),
    )


def _upkeep(own: FunctionSettings, common: FunctionSettings) -> Upkeep:
    return Upkeep(
        log_days=_first(own.log_days, common.log_days, Upkeep().log_days),
        reserved=common.reserved if own.reserved is None else own.reserved,
    )


def _background(source: Source, own: FunctionSettings, common: FunctionSettings) -> Background:
    schedule = own.schedule or common.schedule
    named = source.name.endswith(BACKGROUND_NAME)
    asked = (common.background or named) if own.background is None else own.background
    return Background(
        schedule=expression(schedule) if schedule else "",
        requests=bool(asked),
        retries=_first(own.retries, common.retries, Background().retries),
    )


def _methods(
    own: FunctionSettings, common: FunctionSettings, *, background: Background, stream: bool
) -> tuple[str, ...]:
    """None for a schedule alone: what runs by itself no visitor starts, unless it says so."""
    if background.schedule and not (own.methods or own.background):
        return ()
    wanted = own.methods or (STREAMED_METHODS if stream else common.methods) or ("ANY",)
    return tuple(sorted({*wanted}))


def _grants(
    name: str, own: FunctionSettings, common: FunctionSettings, *, hosting: Hosting
) -> Grants:
    """A list of the function's own stands in place of the common one, as with methods."""
    tables = common.tables if own.tables is None else own.tables
    invoke = common.invoke if own.invoke is None else own.invoke
    alone = own.tables is not None or own.invoke is not None or bool(own.secrets)
    shared = _hosting(common, common)
    alone = alone or (hosting.tracing, hosting.subnets) != (shared.tracing, shared.subnets)
    grants = Grants(
        tables=tuple(sorted(tables or ())),
        invoke=tuple(sorted({*(invoke or ())})),
        secrets=tuple(sorted({**dict(common.secrets), **dict(own.secrets)}.items())),
        tracing=hosting.tracing,
        network=bool(hosting.subnets),
    )
    return replace(grants, owner=name) if alone and grants else grants


def with_environment(
    found: Configuration, environment: tuple[tuple[str, str], ...]
) -> Configuration:
    """The same with all variables: those of `.env` files and those of settings.

    A secret of the same name wins: `.env` may hold one for developing.
    """
    secret = dict(found.grants.secrets)
    return replace(found, environment=tuple(each for each in environment if each[0] not in secret))


def problems(source: Source, found: Configuration) -> Iterable[Problem]:
    """What Lambda or API Gateway would refuse in the configuration of `source`."""
    where = f"functions.{source.name}"
    allowed = RUNTIMES[source.language]
    if found.runtime not in allowed:
        yield Problem(
            where=f"{where}.runtime",
            message=f"{found.runtime!r} does not run {source.path}",
            hint=f"Allowed: {', '.join(allowed)}.",
        )
    yield from _outside(f"{where}.memory", found.memory, MEMORY, unit="MB")
    yield from _outside(f"{where}.timeout", found.timeout, _longest(found), unit="s")
    for key, value, choices in [
        ("architecture", found.architecture, ARCHITECTURES),
        *(("methods", method, METHODS) for method in found.methods),
    ]:
        if value not in choices:
            yield Problem(
                where=f"{where}.{key}",
                message=f"{value!r} is not known",
                hint=f"Allowed: {', '.join(choices)}.",
            )


def without_effect(
    source: Source, settings: FunctionsSettings, found: Configuration
) -> Iterable[Problem]:
    """What the function's own section or code says and nothing will ever ask for."""
    own = settings.named.get(source.name, FunctionSettings())
    if own.retries is not None and not found.background:
        yield Problem(
            where=f"functions.{source.name}.retries",
            message="nothing runs it in the background",
            hint="Add `schedule` or `async`, or leave it out.",
        )


def _longest(found: Configuration) -> tuple[int, int]:
    """How long a run may take: behind a route that is answered at once, or without one, longest."""
    alone = found.background.requests or found.stream or not found.methods
    return ALONE if alone else TIMEOUT


def sections(settings: FunctionsSettings) -> Iterable[tuple[str, FunctionSettings]]:
    """Every section with its key in the settings file."""
    yield "functions", settings.common
    for name, section in sorted(settings.named.items()):
        yield f"functions.{name}", section


def unknown(settings: FunctionsSettings, sources: Iterable[Source]) -> Iterable[Problem]:
    """Sections for functions that do not exist."""
    names = [source.name for source in sources]
    for name in sorted(set(settings.named) - set(names)):
        near = difflib.get_close_matches(name, names, n=1)
        yield Problem(
            where=f"functions.{name}",
            message="there is no function of this name",
            hint=f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names)}.",
        )


def _runtime(language: Language, own: FunctionSettings, common: FunctionSettings) -> str:
    if own.runtime:
        return own.runtime
    if common.runtime and common.runtime.startswith(_PREFIX[language]):
        return common.runtime
    return DEFAULT_RUNTIME[language]


_PREFIX = {Language.NODE: "nodejs", Language.PYTHON: "python"}


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)


def _outside(where: str, value: int, limits: tuple[int, int], *, unit: str) -> Iterable[Problem]:
    low, high = limits
    if not low <= value <= high:
        yield Problem(
            where=where,
            message=f"{value} {unit} is not possible",
            hint=f"Allowed: {low} to {high} {unit}.",
        )
