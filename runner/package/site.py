"""From a built site to its `Release`: the publish folder, its rules, its functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import assert_never

from runner.build import publish
from runner.build.publish import Found
from runner.config.functions import Function as Section
from runner.config.load import Config
from runner.config.previews import functions_of_preview
from runner.config.references import EnvReference, Literal, SsmReference, Value, parse_value
from runner.errors import Problem, site_error
from runner.model import Api, Authorizer, Function, Redirect, Release
from runner.names import PRODUCTION, table_name
from runner.package import beacon
from runner.package.functions.assemble import package_functions
from runner.package.functions.linked import linked
from runner.package.functions.sections import settings_of
from runner.package.functions.settings import FunctionSettings, FunctionsSettings
from runner.package.headers import HeaderRule, headers_for
from runner.package.headers import parse as parse_headers
from runner.package.redirects import parse as parse_redirects
from runner.package.release import assemble
from runner.toolchain import find

WORK = ".jam"  # beside the site: caches and the content store, never published

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What packaging needs beside the site: `cache` is the user's, `parameter` reads SSM."""

    environment: Mapping[str, str] = field(repr=False)
    tools: Mapping[str, str] = field(repr=False)  # the environment of npm and uv
    cache: Path
    echo: Callable[[str], None]
    parameter: Callable[[str], str]
    today: date | None = None  # by which AWS's end of a runtime is judged


def package(
    config: Config, folder: Path, around: Surroundings, environment: str = PRODUCTION
) -> Release:
    """The release made of the publish folder `folder` and of the site's functions, for one of its
    environments."""
    store = _work(config) / "store"
    found = publish.read(
        folder,
        store,
        allow=config.settings.build.allow,
        left_out=publish.beside_the_site(folder, config.root, config.functions),
    )
    headers_of, redirects = rules_of(found, around.echo)
    beacons = config.settings.production.rollout.beacon
    if beacons:
        found = beacon.added(found, store)
        for path, policy in beacon.forbidden(found, headers_of):
            around.echo(f"warning: {path} is sent with {policy}: the beacon cannot report from it")
    return assemble(
        found,
        store,
        functions=functions_of(config, around, environment),
        headers_of=headers_of,
        redirects=redirects,
        spa=config.spa or config.settings.build.spa,
        immutable=(*config.settings.build.immutable, *((beacon.PATTERN,) if beacons else ())),
        api=_api(config),
        hashed=_hashed(config),
    )


def _work(config: Config) -> Path:
    """Our folder beside the site; git passes over it, whatever the site's .gitignore says."""
    mark = (config.work or config.root / WORK) / ".gitignore"
    if not mark.exists():
        mark.parent.mkdir(exist_ok=True)
        mark.write_text("*\n")
    return mark.parent


def _api(config: Config) -> Api:
    functions = config.settings.functions
    return Api(
        cors=tuple(sorted(functions.cors)),
        access_log=functions.access_log,
        log_days=functions.log_retention or Api().log_days,
    )


def _hashed(config: Config) -> str:
    """The bundler's own folder, if it was the bundler that ran."""
    return config.detected.hashed if config.command == config.detected.command else ""


def functions_of(
    config: Config, around: Surroundings, environment: str = PRODUCTION
) -> tuple[Function, ...]:
    """The site's functions, packaged; none without a functions folder."""
    if not (config.root / config.functions).is_dir():
        return ()
    functions = package_functions(
        root=config.root,
        directory=config.functions,
        settings=functions_settings(config, around, environment),
        toolchain=find(around.cache),
        work=config.work or config.root / WORK,
        environment=around.tools,
        echo=around.echo,
        today=around.today,
    )
    _tell_unused(config, functions, around.echo)
    return linked(functions)


def resolved(
    values: Mapping[str, str], around: Surroundings, *, where: str
) -> tuple[tuple[str, str], ...]:
    """An environment with its references resolved; every missing one is named at once."""
    found, problems = [], []
    for name, text in sorted(values.items()):
        try:
            found.append((name, _value(parse_value(text), around)))
        except KeyError as error:
            message = f"names {error.args[0]}, which is not set"
            problems.append(Problem(where=f"{where}.{name}", message=message))
    if problems:
        raise site_error(
            "JAM-ENV",
            "the environment has references that lead nowhere",
            hint="Set the variables where jam-deploy runs (in a workflow: under `env`).",
            problems=tuple(problems),
        )
    return tuple(found)


def referred(
    config: Config, around: Surroundings, environment: str = PRODUCTION
) -> tuple[dict[str, str], dict[str, str]]:
    """The variables and the parameters that functions' environments refer to, as they are now."""
    sections = config.settings.functions
    if environment != PRODUCTION:
        sections = functions_of_preview(config.settings)
    variables, parameters = {}, {}
    for section in (sections, *sections.named.values()):
        for value in map(parse_value, section.environment.values()):
            match value:
                case EnvReference(name) if name in around.environment:
                    variables[name] = around.environment[name]
                case SsmReference(name) if name not in parameters:
                    parameters[name] = around.parameter(name)
    return variables, parameters


def _value(value: Value, around: Surroundings) -> str:
    match value:
        case Literal(text):
            return text
        case EnvReference(name):
            return around.environment[name]
        case SsmReference(name):
            return around.parameter(name)
        case _:
            assert_never(value)


def rules_of(
    found: Iterable[Found], echo: Callable[[str], None]
) -> tuple[Callable[[str], Headers], tuple[Redirect, ...]]:
    """`_headers` and `_redirects` of the publish folder; what is odd in them is said."""
    texts = {each.path: each.source for each in found if each.path in ("_headers", "_redirects")}

    def text(name: str) -> str:
        place = texts.get(name)
        return Path(place).read_text("utf-8", errors="replace") if place else ""

    headers, odd_headers = parse_headers(text("_headers"), "_headers")
    redirects, odd_redirects = parse_redirects(text("_redirects"), "_redirects")
    for problem in (*odd_headers, *odd_redirects):
        echo(f"warning: {problem}")
    return partial(_headers_of, headers), redirects


def _headers_of(rules: tuple[HeaderRule, ...], path: str) -> Headers:
    return headers_for(f"/{path}", rules)


def functions_settings(
    config: Config, around: Surroundings, environment: str = PRODUCTION
) -> FunctionsSettings:
    """What the site sets for its functions, references resolved, names of tables included."""
    sections = config.settings.functions
    if environment != PRODUCTION:
        sections = functions_of_preview(config.settings)
    return FunctionsSettings(
        common=_section(sections, around, where="functions"),
        named={
            name: _section(section, around, where=f"functions.{name}")
            for name, section in sections.named.items()
        },
        tables={it.name: table_name(config.site, it.name, environment) for it in config.tables},
        authorizers={
            name: Authorizer(name=name, issuer=one.issuer, audience=tuple(sorted(one.audience)))
            for name, one in config.settings.authorizers.items()
        },
    )


def _section(section: Section, around: Surroundings, *, where: str) -> FunctionSettings:
    return settings_of(section, resolved(section.environment, around, where=f"{where}.environment"))


def _tell_unused(
    config: Config, functions: Iterable[Function], echo: Callable[[str], None]
) -> None:
    used = {table for function in functions for table, _ in function.grants.tables}
    for table in config.tables:
        if table.name not in used:
            wanted = f'`tables = ["{table.name}:rw"]`'
            echo(f"warning: no function may use the table {table.name}; grant it by {wanted}")
