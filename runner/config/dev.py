"""Which command serves the front end while it is developed. Reads files, runs nothing."""

from __future__ import annotations

from runner.config.frameworks import CUSTOM, FRAMEWORKS, Framework
from runner.config.load import Config
from runner.config.managers import manager_of
from runner.config.repository import Repository

_KNOWN = {each.name: each for each in (*FRAMEWORKS, CUSTOM)}
_PROGRAMS = frozenset({"hugo", "jekyll"})  # on PATH, not of npm


def dev_command(config: Config) -> str:
    """The command, set or detected; empty where the pages are served as they lie."""
    if config.settings.build.dev is not None:
        return config.settings.build.dev
    framework = _KNOWN.get(config.detected.framework)
    return _detected(framework, Repository(config.root)) if framework else ""


def _detected(framework: Framework, repository: Repository) -> str:
    scripts = repository.package.scripts if repository.package else {}
    found = next((name for name in framework.dev_scripts if scripts.get(name)), "")
    if found:
        return manager_of(repository).run(found)
    if framework.name in _PROGRAMS:
        bundled = framework.name == "jekyll" and repository.has("Gemfile")
        return f"bundle exec {framework.dev}" if bundled else framework.dev
    return manager_of(repository).execute(framework.dev) if framework.dev else ""
