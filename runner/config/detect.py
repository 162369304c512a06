"""What a repository is: framework, package manager, commands, publish folder, each with its reason.

Reads well-known files, runs nothing, writes nothing. `jam.toml` overrules all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.config.frameworks import CUSTOM, FRAMEWORKS, PLAIN, Framework
from runner.config.hashed import hashed_folder
from runner.config.managers import Manager, manager_of
from runner.config.outputs import Output, output_of
from runner.config.repository import Repository
from runner.config.spa import wants_fallback
from runner.errors import Problem

_HUGO_CONFIG = ("config.toml", "config.yaml", "config.yml", "config.json")
_HUGO_FOLDERS = ("layouts", "themes", "archetypes")
_PROGRAMS = frozenset({"hugo", "jekyll"})
# Where finished pages lie when nothing builds them; the repository itself comes first.
_PLAIN_FOLDERS = (".", "public", "site", "www", "html", "dist", "build", "_site", "docs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Detected:
    """What was found. `install` and `command` may be empty: nothing to do.

    `framework` is a name of runner/config/frameworks.py, `custom` or `html`, or empty where nothing
    can be published. `why` has a reason by key; `problems` count only while the settings do not say
    otherwise.
    """

    framework: str = ""
    package_manager: str = ""
    package_manager_version: str = ""
    install: str = ""
    command: str = ""
    publish: str = ""
    spa: bool = False
    hashed: str = ""  # a folder of the output whose names carry their contents' hash
    why: Mapping[str, str]
    problems: tuple[Problem, ...] = ()


def detect(root: Path) -> Detected:
    """What the repository in `root` is."""
    repository = Repository(root)
    if repository.broken_package:
        return _broken()
    framework, why = _framework(repository)
    if framework is None:
        return Detected(why={"framework": why})
    if framework is PLAIN:
        return _plain(repository, why)
    return _built(repository, framework, why)


def _framework(repository: Repository) -> tuple[Framework | None, str]:
    for framework in FRAMEWORKS:
        if why := _fits(repository, framework):
            return framework, why
    if repository.package and repository.package.scripts.get("build"):
        return CUSTOM, "a build script in package.json, of no framework that we know"
    if folder := _pages(repository):
        return PLAIN, "index.html" if folder == "." else f"{folder}/index.html"
    return None, "no framework, no build script and no index.html"


def _fits(repository: Repository, framework: Framework) -> str:
    """Why it is this framework, or nothing."""
    dependencies = repository.package.dependencies if repository.package else {}
    for name in framework.packages:
        if name in dependencies:
            return f"{name} in package.json"
    if framework.name == "jekyll" and "hexo" in dependencies:  # it has the same _config.yml
        return ""
    if framework.name == "hugo" and (config := repository.first(_HUGO_CONFIG)):
        folder = repository.first(_HUGO_FOLDERS)
        return f"{config} and {folder}/" if folder else ""
    return repository.first(framework.files)


def _built(repository: Repository, framework: Framework, why: str) -> Detected:
    script = _script(repository, framework)
    text = repository.package.scripts.get(script, "") if repository.package and script else ""
    output = output_of(repository, framework, text)
    spa, spa_why = wants_fallback(repository, framework)
    if framework.name in _PROGRAMS and not script:
        return _program(repository, framework, why=why, output=output)
    manager = manager_of(repository)
    return Detected(
        framework=framework.name,
        package_manager=manager.name,
        package_manager_version=manager.version,
        install=manager.install,
        command=_command(manager, framework, script),
        publish=output.folder,
        spa=spa,
        hashed=hashed_folder(repository, framework, script=script, text=text),
        why={
            "framework": f"{framework.title}: {why}",
            "install": manager.why,
            "command": _command_why(framework, script),
            "publish": output.why,
            "spa": spa_why,
        },
        problems=output.problems,
    )


def _script(repository: Repository, framework: Framework) -> str:
    """The build script of package.json, if it has one that makes a static site."""
    scripts = repository.package.scripts if repository.package else {}
    found = next((name for name in framework.scripts if scripts.get(name)), "")
    if framework.name == "nuxt" and not found:
        build = scripts.get("build", "")
        return "build" if "generate" in build or "--prerender" in build else ""
    return found


def _command(manager: Manager, framework: Framework, script: str) -> str:
    return manager.run(script) if script else manager.execute(framework.command)


def _command_why(framework: Framework, script: str) -> str:
    if script:
        return f"the script {script} in package.json"
    return f"no script {' or '.join(framework.scripts)} in package.json: {framework.title}'s own"


def _program(repository: Repository, framework: Framework, *, why: str, output: Output) -> Detected:
    """Hugo and Jekyll without a build script: programs of their own, no packages of npm."""
    bundled = framework.name == "jekyll" and repository.has("Gemfile")
    packages = repository.package is not None and bool(repository.package.dependencies)
    manager = manager_of(repository) if packages else None
    installs = ("bundle install" if bundled else "", manager.install if manager else "")
    reasons = ("Gemfile" if bundled else "", manager.why if manager else "")
    return Detected(
        framework=framework.name,
        package_manager=manager.name if manager else "",
        package_manager_version=manager.version if manager else "",
        install=" && ".join(filter(None, installs)),
        command=f"bundle exec {framework.command}" if bundled else framework.command,
        publish=output.folder,
        why={
            "framework": f"{framework.title}: {why}",
            "install": "; ".join(filter(None, reasons)) or "nothing to install",
            "command": f"{framework.title}'s own",
            "publish": output.why,
            "spa": f"{framework.title} writes one page a path",
        },
        problems=output.problems,
    )


def _plain(repository: Repository, why: str) -> Detected:
    return Detected(
        framework=PLAIN.name,
        publish=_pages(repository),
        why={
            "framework": f"{PLAIN.title}: {why}",
            "install": "nothing to build",
            "command": "no build script in package.json",
            "publish": f"{why} lies there",
            "spa": "plain pages",
        },
    )


def _pages(repository: Repository) -> str:
    return next((it for it in _PLAIN_FOLDERS if repository.has(f"{it}/index.html")), "")


def _broken() -> Detected:
    problem = Problem(where="package.json", message="is no valid JSON object", hint="mend it")
    return Detected(why={"framework": "package.json cannot be read"}, problems=(problem,))
