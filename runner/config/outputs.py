"""Where each framework puts the finished site, and what keeps it from making a static one.

Reads configuration, runs nothing: a folder that only code could tell is assumed, and said to be.
"""

from __future__ import annotations

import json
import posixpath
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from runner.config.frameworks import Framework
from runner.config.repository import Repository, flag, option
from runner.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """The publish folder with its reason; `problems` say why there will be none."""

    folder: str
    why: str
    problems: tuple[Problem, ...] = field(default=())


def output_of(repository: Repository, framework: Framework, script: str) -> Output:
    """The publish folder; `script` is the text of the build script, for its flags."""
    reader = _READERS.get(framework.name)
    found = reader(repository, framework, script) if reader else default(framework)
    return _inside(found, framework)


def default(framework: Framework) -> Output:
    """The framework's own folder."""
    return Output(folder=framework.publish, why=f"{framework.title} builds into it")


def _inside(found: Output, framework: Framework) -> Output:
    """Refuses a folder outside the repository: that is never published unasked."""
    if not found.folder:
        return found
    folder = posixpath.normpath(found.folder)
    if folder.startswith(("../", "/")) or folder == "..":
        where = found.why.rpartition(" in ")[2]
        outside = Problem(
            where=where,
            message=f"{framework.title} builds into {found.folder}, outside the repository",
            hint="build into a folder of the repository, or set [build] publish",
        )
        return Output(folder="", why=found.why, problems=(*found.problems, outside))
    return Output(folder=folder, why=found.why, problems=found.problems)


def _configured(
    repository: Repository, framework: Framework, *, name: str, base: str = ""
) -> Output:
    """The folder that an option of the framework's JavaScript configuration names."""
    config = repository.first(framework.configs)
    found = option(repository.script(config), name) if config else option("", name)
    if found.value:
        folder = found.value if found.from_root else posixpath.join(base, found.value)
        return Output(folder=folder, why=f"{name} in {config}")
    if found.unread:
        why = f"assumed: {name} in {config} is no plain text, set [build] publish if it differs"
        return Output(folder=framework.publish, why=why)
    return default(framework)


def _vite(repository: Repository, framework: Framework, script: str) -> Output:
    """Vite's `outDir` is relative to its `root`. Source: vite.dev/config/build-options."""
    config = repository.first(framework.configs)
    root = option(repository.script(config), "root").value if config else ""
    if out := flag(script, "--outDir"):
        return Output(folder=posixpath.join(root, out), why="--outDir in the build script")
    found = _configured(repository, framework, name="outDir", base=root)
    if found == default(framework) and root:
        return Output(folder=posixpath.join(root, framework.publish), why=f"root in {config}")
    return found


def _astro(repository: Repository, framework: Framework, script: str) -> Output:
    config = repository.first(framework.configs)
    found = _configured(repository, framework, name="outDir")
    mode = option(repository.script(config), "output").value
    if mode in ("server", "hybrid"):
        return _dynamic(
            found,
            where=config,
            message=f'found output: "{mode}", which needs a server',
            hint='set output: "static", or leave it out, and put what is dynamic into functions',
        )
    return _flagged(found, script, "--outDir", "--out-dir")


def _next(repository: Repository, framework: Framework, script: str) -> Output:
    """With `output: "export"` a `distDir` is where the export goes. Source: nextjs.org/docs,
    "Static Exports"."""
    config = repository.first(framework.configs)
    text = repository.script(config)
    exported = re.search(r"(?<![\w.$-])output\s*:[^,}\n]*[\"'`]export[\"'`]", text)
    if not exported and "next export" not in script:
        return _dynamic(
            default(framework),
            where=config or "next.config.js",
            message='found no output: "export": without it Next.js needs a server',
            hint='add output: "export" to it (and images: { unoptimized: true } for next/image)',
        )
    if exported:
        return _configured(repository, framework, name="distDir")
    return _flagged(default(framework), script, "-o", "--outdir")


def _nuxt(repository: Repository, framework: Framework, script: str) -> Output:
    """Nuxt 2 generates into `dist`, Nuxt 3 and 4 into `.output/public`."""
    package = repository.package
    version = (package.dependencies.get("nuxt", "") if package else "").lstrip("^~>=v ")
    config = repository.first(framework.configs)
    if not version.startswith("2"):
        return default(framework)
    text = repository.script(config)
    found = re.search(r"generate\s*:\s*\{[^}]*?dir\s*:\s*[\"'`]([^\"'`$]+)", text)
    if found:
        return Output(folder=found[1], why=f"generate.dir in {config}")
    return Output(folder="dist", why="Nuxt 2 generates into it")


def _sveltekit(repository: Repository, framework: Framework, script: str) -> Output:
    package = repository.package
    config = repository.first(framework.configs)
    if package and "@sveltejs/adapter-static" not in package.dependencies:
        return _dynamic(
            default(framework),
            where=config or "svelte.config.js",
            message="found no @sveltejs/adapter-static: other adapters need a server",
            hint="npm install --save-dev @sveltejs/adapter-static, and use it in svelte.config.js",
        )
    return _configured(repository, framework, name="pages")


def _pressed(repository: Repository, framework: Framework, script: str) -> Output:
    """VitePress and VuePress build beside their configuration, which lies where the docs do."""
    folder = f".{framework.name}"
    called = re.search(rf"{framework.name}\s+build\s+([^\s\"';&|-][^\s\"';&|]*)", script)
    homes = (called[1].rstrip("/"),) if called else (".", "docs", "doc", "website", "site", "src")
    home = next((it for it in homes if repository.has(f"{it}/{folder}")), homes[0])
    config = repository.first(tuple(f"{home}/{it}" for it in framework.configs))
    text = repository.script(config) if config else ""
    name = "outDir" if framework.name == "vitepress" else "dest"
    if found := option(text, name).value:
        # VitePress takes its outDir from the docs' folder, VuePress its dest from the repository.
        base = home if name == "outDir" else ""
        where = posixpath.normpath(config)
        return Output(folder=posixpath.join(base, found), why=f"{name} in {where}")
    found_in = posixpath.normpath(posixpath.join(home, folder))
    return Output(folder=f"{found_in}/dist", why=f"{framework.title} builds beside {found_in}")


def _angular(repository: Repository, framework: Framework, script: str) -> Output:
    """The application builder puts the site into `browser/` below `outputPath`.

    Source: angular.dev, "Angular workspace configuration", output path configuration.
    """
    try:
        workspace = json.loads(repository.script("angular.json"))
        name, target = _angular_project(workspace)
        options = target.get("options", {})
        path = options.get("outputPath", f"dist/{name}")
    except (ValueError, AttributeError, StopIteration):
        problem = Problem(
            where="angular.json",
            message="found no application with a build target",
            hint="set [build] publish",
        )
        return Output(folder="", why="", problems=(problem,))
    why = f"outputPath of {name} in angular.json"
    if isinstance(path, dict):
        folder = posixpath.join(path.get("base", f"dist/{name}"), path.get("browser", "browser"))
        return Output(folder=folder, why=why)
    builder = str(target.get("builder", ""))
    tail = "/browser" if builder.endswith(":application") else ""
    return Output(folder=f"{path}{tail}", why=why)


def _angular_project(workspace: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The default project, else the first application that can be built."""
    projects = workspace.get("projects", {})
    wanted = workspace.get("defaultProject")
    names = sorted(projects, key=lambda name: name != wanted)
    return next(
        (name, targets["build"])
        for name in names
        if projects[name].get("projectType", "application") == "application"
        and "build" in (targets := projects[name].get("architect") or projects[name]["targets"])
    )


def _eleventy(repository: Repository, framework: Framework, script: str) -> Output:
    config = repository.first(framework.configs)
    text = repository.script(config)
    if found := re.search(r"setOutputDirectory\(\s*[\"'`]([^\"'`$]+)", text):
        return Output(folder=found[1], why=f"setOutputDirectory in {config}")
    found_option = _configured(repository, framework, name="output")
    return _flagged(found_option, script, "--output")


def _hugo(repository: Repository, framework: Framework, script: str) -> Output:
    """Hugo takes its keys in any case. Source: gohugo.io/configuration/all."""
    config = repository.first(framework.configs)
    folder = _plain_key(repository.text(config), config, "publishdir")
    found = Output(folder=folder, why=f"publishDir in {config}") if folder else default(framework)
    return _flagged(found, script, "--destination", "-d")


def _jekyll(repository: Repository, framework: Framework, script: str) -> Output:
    config = repository.first(framework.configs)
    folder = _plain_key(repository.text(config), config, "destination")
    return Output(folder=folder, why=f"destination in {config}") if folder else default(framework)


def _plain_key(text: str, config: str, name: str) -> str:
    """A top-level key of a TOML, JSON or YAML file; of YAML only its simplest form."""
    try:
        if config.endswith(".toml"):
            data = tomllib.loads(text)
        elif config.endswith(".json"):
            data = json.loads(text)
        else:
            found = re.search(rf"(?im)^{name}\s*:\s*[\"']?([^\"'#\n]+)", text)
            return found[1].strip() if found else ""
    except ValueError:
        return ""
    return next((str(value) for key, value in data.items() if key.lower() == name), "")


def _flagged(found: Output, script: str, *flags: str) -> Output:
    """A flag in the build script wins over configuration."""
    folder = flag(script, *flags)
    return Output(folder=folder, why="a flag in the build script") if folder else found


def _by_flag(repository: Repository, framework: Framework, script: str) -> Output:
    return _flagged(default(framework), script, "--out-dir")


def _custom(repository: Repository, framework: Framework, script: str) -> Output:
    guess = Output(
        folder=framework.publish,
        why="assumed: no known framework, set [build] publish if the build fills another folder",
    )
    return _flagged(guess, script, "--out-dir", "--outDir", "--outdir", "--dist-dir", "--output")


def _dynamic(found: Output, *, where: str, message: str, hint: str) -> Output:
    problem = Problem(where=where, message=message, hint=hint)
    return Output(folder=found.folder, why=found.why, problems=(problem,))


_READERS: dict[str, Callable[[Repository, Framework, str], Output]] = {
    "angular": _angular,
    "astro": _astro,
    "custom": _custom,
    "docusaurus": _by_flag,
    "eleventy": _eleventy,
    "hugo": _hugo,
    "jekyll": _jekyll,
    "next": _next,
    "nuxt": _nuxt,
    "sveltekit": _sveltekit,
    "vite": _vite,
    "vitepress": _pressed,
    "vuepress": _pressed,
}
