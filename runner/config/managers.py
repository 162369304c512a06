"""Which package manager a repository uses, and its commands. Runs none, writes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runner.config.repository import Repository

_LOCKS = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
    "package-lock.json": "npm",
    "npm-shrinkwrap.json": "npm",
}
# With a lock file nothing else is installed than it names; without one, whatever is newest, and
# none is left in the repository: it would turn the next run into another one.
_FROZEN = {
    "npm": "npm ci",
    "pnpm": "pnpm install --frozen-lockfile",
    "yarn": "yarn install --immutable",
    "yarn1": "yarn install --frozen-lockfile",
    "bun": "bun install --frozen-lockfile",
}
_LOOSE = {
    "npm": "npm install --no-package-lock",
    "pnpm": "pnpm install --no-lockfile",
    "yarn": "yarn install --no-immutable",  # so does Yarn from 2 on
    "yarn1": "yarn install --no-lockfile",
    "bun": "bun install --no-save",
}
_RUN = {
    "npm": "npm run",
    "pnpm": "pnpm run",
    "yarn": "yarn run",
    "yarn1": "yarn run",
    "bun": "bun run",
}
_EXECUTE = {
    "npm": "npx",
    "pnpm": "pnpm exec",
    "yarn": "yarn run",
    "yarn1": "yarn run",
    "bun": "bunx",
}
_FARTHEST = 5  # folders upwards: a workspace's root is not farther


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """A package manager: `kind` tells Yarn's two apart (`yarn1`); `version` may be empty."""

    kind: str
    version: str
    install: str
    why: str

    @property
    def name(self) -> str:
        """`npm`, `pnpm`, `yarn` or `bun`."""
        return self.kind.rstrip("1")

    def run(self, script: str) -> str:
        """The command for a script of package.json."""
        return f"{_RUN[self.kind]} {script}"

    def execute(self, command: str) -> str:
        """The command line of an installed package."""
        return f"{_EXECUTE[self.kind]} {command}"


def manager_of(repository: Repository) -> Manager:
    """`packageManager` of package.json decides, then the lock file, here or in a folder above."""
    package = repository.package
    wanted, _, version = (package.manager if package else "").partition("@")
    version = version.partition("+")[0]
    home, locks = _locks(repository)
    name = wanted if wanted in _RUN else ""
    own = [lock for lock in locks if not name or _LOCKS[lock] == name]
    name = name or (_LOCKS[own[0]] if own else "npm")
    kind = _yarn(home, version) if name == "yarn" else name
    return Manager(
        kind=kind,
        version=version if wanted == name else "",
        install=_FROZEN[kind] if own else _LOOSE[kind],
        why=_why(name, wanted, own=own, locks=locks, above=home.root != repository.root),
    )


def _locks(repository: Repository) -> tuple[Repository, list[str]]:
    """The lock files of the nearest folder that has any, up to the root of the git repository."""
    folder = repository.root.absolute()
    for home in [folder, *folder.parents][:_FARTHEST]:
        if locks := [lock for lock in _LOCKS if (home / lock).exists()]:
            return Repository(home if home != folder else repository.root), locks
        if (home / ".git").exists():
            break
    return repository, []


def _yarn(home: Repository, version: str) -> str:
    """Yarn 1 and its successors have neither lock file nor flags in common."""
    if version:
        return "yarn1" if version.startswith("1.") else "yarn"
    lock = home.text("yarn.lock")
    if re.search(r"^__metadata:", lock, re.MULTILINE):
        return "yarn"
    classic = "yarn lockfile v1" in lock or not home.has(".yarnrc.yml")
    return "yarn1" if classic else "yarn"


def _why(name: str, wanted: str, *, own: list[str], locks: list[str], above: bool) -> str:
    place = " in a folder above" if above else ""
    reasons = [f"packageManager in package.json is {name}"] if wanted == name else []
    reasons += [f"{own[0]}{place}"] if own else []
    if not own:
        reasons += [f"no lock file of {name}: versions may differ from build to build, commit one"]
    others = [lock for lock in locks if _LOCKS[lock] != name]
    reasons += [f"{', '.join(others)} is not used: remove it"] if others else []
    return "; ".join(reasons)
