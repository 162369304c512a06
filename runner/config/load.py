"""Settings, detection and the command line's overrides, as one frozen `Config`.

Reads `jam.toml` and the repository; reports everything that is wrong with them at once. Reads no
environment: what comes from there is in `Overrides`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from runner.config.detect import Detected, detect
from runner.config.kinds import allowed
from runner.config.rules import broken_rules
from runner.config.settings import Settings
from runner.config.settings import Table as Section
from runner.config.shape import Wrong, arranged, settings, wrongs
from runner.config.source import FILE, Source, parsed, read, refused, top_line
from runner.config.values import Region, SiteName
from runner.errors import JamError, Problem, site_error
from runner.model import Index, Table

_NO_REGION = Problem(
    where="region",
    message="no AWS region is given",
    hint=f'write region = "eu-central-1" into {FILE}, pass --region or set AWS_REGION',
)
_DETECTED = ("install", "command", "publish", "spa")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """What the command line and the environment say; empty where they are silent.

    `site` and `region` are options of the command line and win over `jam.toml`; `default_region` is
    AWS_REGION or AWS_DEFAULT_REGION and only fills in.
    """

    site: str = ""
    region: str = ""
    default_region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a run works with. `file` is the `jam.toml` that was read, if there is one.

    `install`, `command`, `publish`, `functions` and `spa` are the effective values: settings, else
    what was detected. Both commands may be empty: nothing to do. `publish` and `functions` are
    folders below `root`. `provenance` says by key where each value comes from. `work` is where
    packaging keeps what it makes: beside the site, unless it is told otherwise.
    """

    root: Path
    file: Path | None
    settings: Settings
    detected: Detected
    site: str
    region: str
    install: str
    command: str
    publish: str
    functions: str
    spa: bool
    provenance: Mapping[str, str]
    work: Path | None = None

    @property
    def commands(self) -> tuple[str, ...]:
        """What the build runs, in order."""
        return tuple(command for command in (self.install, self.command) if command)

    @property
    def tables(self) -> tuple[Table, ...]:
        """The site's own tables, by name."""
        return tuple(_table(*item) for item in sorted(self.settings.tables.items()))


def load(root: Path, file: Path | None, overrides: Overrides, *, publishes: bool = True) -> Config:
    """The configuration of the site in `root`; `file` defaults to its `jam.toml`, if there is one.

    Unless it `publishes`, there may be nothing to publish. Raises JAM-SETTINGS with every problem,
    JAM-REGION-MISSING when nobody names a region.
    """
    source = read(root, file)
    known, problems = _settings(source)
    detected = detect(root)
    problems += [*_overridden(overrides), *(_undetected(known, detected) if publishes else ())]
    region, region_why = _region(known, overrides=overrides, source=source)
    if problems:
        told = region or any(problem.where.endswith("region") for problem in problems)
        raise refused(problems if told else [*problems, _NO_REGION])
    if not region:
        raise _region_missing()
    site, site_why = _site(root, known, overrides=overrides, source=source)
    values = {key: _effective(key, known, detected=detected, source=source) for key in _DETECTED}
    functions = source.provenance("functions", "directory") or "default"
    return Config(
        root=root,
        file=source.path,
        settings=known,
        detected=detected,
        site=site,
        region=region,
        functions=known.functions.directory,
        **{key: value for key, (value, _) in values.items()},
        provenance={
            "site": site_why,
            "region": region_why,
            **{key: why for key, (_, why) in values.items()},
            "functions": functions,
        },
    )


def whereabouts(root: Path, file: Path | None, overrides: Overrides) -> tuple[str, str]:
    """The site's name and region alone, for commands that build nothing: nothing is detected.

    Where both were said, or stand on lines of their own, what else is wrong matters not: a broken
    file keeps nobody from going back, and no closed preview from going. Raises JAM-SETTINGS and
    JAM-REGION-MISSING as `load` does.
    """
    wrong = list(_overridden(overrides))
    if overrides.site and overrides.region and not wrong:
        return overrides.site, overrides.region
    source = read(root, file)
    try:
        known, problems = _settings(source)
        if problems := [*problems, *wrong]:
            raise refused(problems)
    except JamError:
        readable = _readable(source, overrides)
        if wrong or not all(readable):
            raise
        return readable
    region, _ = _region(known, overrides=overrides, source=source)
    if not region:
        raise _region_missing()
    return _site(root, known, overrides=overrides, source=source)[0], region


def _readable(source: Source, overrides: Overrides) -> tuple[str, str]:
    """Site and region, each empty where neither an option nor a line of the broken file says it."""
    site, region = (top_line(source.text, key) for key in ("site", "region"))
    site = site if _fits(site, SiteName) else ""
    region = region if _fits(region, Region) else ""
    return overrides.site or site, overrides.region or region or overrides.default_region


def _settings(source: Source) -> tuple[Settings, list[Problem]]:
    """What the file says, without what is wrong in it, and all of that."""
    data = arranged(parsed(source))
    found = tuple(wrongs(data))
    known = settings(data, without=found)
    inline = sorted((*found, *broken_rules(known)), key=lambda wrong: source.line(*wrong.at))
    return known, [_problem(wrong, source) for wrong in inline]


def _problem(wrong: Wrong, source: Source) -> Problem:
    return Problem(where=source.where(*wrong.at), message=wrong.message, hint=wrong.hint)


def _overridden(overrides: Overrides) -> Iterator[Problem]:
    """What is wrong with the command line's and the environment's values."""
    for where, value, kind in (
        ("--site", overrides.site, SiteName),
        ("--region", overrides.region, Region),
        ("AWS_REGION", overrides.default_region, Region),
    ):
        if value and not _fits(value, kind):
            found = f"found {json.dumps(value)}, allowed: {allowed(kind)}"
            yield Problem(where=where, message=found)


def _undetected(known: Settings, detected: Detected) -> Iterator[Problem]:
    """What detection could not do, where the settings do not say it either."""
    if known.build.publish is not None:
        return
    yield from detected.problems
    if not detected.publish and not detected.problems:
        yield Problem(
            where="build.publish",
            message=f"nothing to publish was found: {detected.why['framework']}",
            hint=f'write [build] publish = "…" into {FILE}, or name the right folder',
        )


def _effective(key: str, known: Settings, *, detected: Detected, source: Source) -> tuple[Any, str]:
    """A value of `[build]`, set or detected, and where it comes from."""
    own = getattr(known.build, key)
    if own is not None:
        return own, source.provenance("build", key) or source.name
    return getattr(detected, key), f"detected: {detected.why.get(key, 'nothing')}"


def _site(root: Path, known: Settings, *, overrides: Overrides, source: Source) -> tuple[str, str]:
    if overrides.site:
        return overrides.site, "--site"
    if known.site:
        return known.site, source.provenance("site") or source.name
    return site_name(root)


def site_name(root: Path) -> tuple[str, str]:
    """A name for the site where nobody gives one, and what it is made of."""
    for text, why in ((_package_name(root), "package.json"), (root.resolve().name, "the folder")):
        name = re.sub(r"[^a-z0-9]+", "-", text.rpartition("/")[2].lower())
        name = re.sub(r"^[^a-z]+", "", name)[:24].strip("-")
        if _fits(name, SiteName):
            return name, f"detected: the name of {why}"
    return "site", "default: neither package.json nor the folder has a name that can be used"


def _package_name(root: Path) -> str:
    try:
        data = json.loads((root / "package.json").read_bytes())
    except (OSError, ValueError):
        return ""
    return str(data.get("name") or "") if isinstance(data, dict) else ""


def _region(known: Settings, *, overrides: Overrides, source: Source) -> tuple[str, str]:
    if overrides.region:
        return overrides.region, "--region"
    if known.region:
        return known.region, source.provenance("region") or source.name
    return overrides.default_region, "AWS_REGION"


def _region_missing() -> JamError:
    message = "No AWS region is given."
    return site_error("JAM-REGION-MISSING", message, hint=_NO_REGION.hint)


def _fits(value: str, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _table(name: str, section: Section) -> Table:
    return Table(
        name=name,
        hash_key=_key(section.hash),
        range_key=_key(section.range) if section.range else None,
        indexes=tuple(
            Index(
                name=index,
                hash_key=_key(keys.hash or section.hash),
                range_key=_key(keys.range) if keys.range else None,
                local=not keys.hash,
            )
            for index, keys in sorted(section.indexes.items())
        ),
        ttl=section.ttl or "",
        recovery=section.recovery,
    )


def _key(text: str) -> tuple[str, str]:
    name, _, kind = text.rpartition(":")
    return name, kind
