"""Whether a site is one page whose paths a client-side router makes up.

A wrong yes would answer every mistyped address with the start page and hide the 404s: so a yes
needs a router, no second page and no 404 page; everything else is a no.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from runner.config.frameworks import Framework
from runner.config.repository import Repository, option

_CANDIDATES = frozenset({"vite", "cra", "angular", "sveltekit", "nuxt"})
_ROUTERS = (
    *("react-router", "react-router-dom", "@tanstack/react-router", "wouter"),
    *("vue-router", "@tanstack/vue-router", "@solidjs/router", "@tanstack/solid-router"),
    *("svelte-routing", "svelte-spa-router", "@roxi/routify", "@mateothegreat/svelte5-router"),
    *("preact-router", "preact-iso", "@vaadin/router", "@lit-labs/router", "navigo"),
)
# They write one HTML file a route.
_PRERENDERERS = ("vite-ssg", "vike", "vite-plugin-ssr", "vite-react-ssg", "react-snap")
# Routes behind `#` never reach a server.
_HASH = re.compile(
    r"createHashRouter|HashRouter|createWebHashHistory|createHashHistory|withHashLocation"
    r"|useHashLocation|useHash\s*:\s*true|mode\s*:\s*[\"']hash[\"']"
)
_ANGULAR_ROUTER = re.compile(r"provideRouter\s*\(|RouterModule\s*\.\s*forRoot\s*\(")
_SOURCES = frozenset({".js", ".jsx", ".ts", ".tsx", ".mjs", ".vue", ".svelte"})
_MOST = 2_000  # source files that are searched
_NOT_FOUND = "404.html"


def wants_fallback(repository: Repository, framework: Framework) -> tuple[bool, str]:
    """Whether paths without a file get the start page, and why."""
    if framework.name not in _CANDIDATES:
        return False, f"{framework.title} writes one page a path"
    if framework.name == "nuxt":
        return _nuxt(repository, framework)
    if framework.name == "sveltekit":
        return _sveltekit(repository, framework)
    router = _router(repository, framework)
    if not router:
        return False, "no client-side router in use"
    if against := _against(repository, framework):
        return False, f"{router}, but {against}"
    return True, f"{router}, and index.html is the only page"


def _nuxt(repository: Repository, framework: Framework) -> tuple[bool, str]:
    text = repository.script(repository.first(framework.configs))
    if re.search(r"(?<![\w.$-])ssr\s*:\s*false", text):
        return True, "ssr: false: every page is made in the browser"
    return False, "Nuxt writes one page a path"


def _sveltekit(repository: Repository, framework: Framework) -> tuple[bool, str]:
    fallback = option(repository.script(repository.first(framework.configs)), "fallback").value
    if fallback == "index.html":
        return True, "the static adapter's fallback is index.html"
    if fallback and fallback != _NOT_FOUND:
        rule = f"/* /{fallback} 200"
        return False, f"the fallback is {fallback}: write `{rule}` into static/_redirects for it"
    return False, "SvelteKit writes one page a path"


def _router(repository: Repository, framework: Framework) -> str:
    """The router that is in use. Angular's is installed everywhere: only its use counts."""
    dependencies = repository.package.dependencies if repository.package else {}
    if framework.name == "angular":
        used = any(_ANGULAR_ROUTER.search(text) for text in _sources(repository))
        return "@angular/router" if used else ""
    return next((name for name in _ROUTERS if name in dependencies), "")


def _against(repository: Repository, framework: Framework) -> str:
    """What speaks against a fallback, or nothing."""
    dependencies = repository.package.dependencies if repository.package else {}
    if made := [name for name in _PRERENDERERS if name in dependencies]:
        return f"{made[0]} writes one page a route"
    if pages := _pages(repository, framework):
        return f"{pages[0]} is a page of its own"
    if page := repository.first((_NOT_FOUND, f"public/{_NOT_FOUND}", f"src/{_NOT_FOUND}")):
        return f"{page} answers unknown paths; [build] spa = true overrules it"
    if any(_HASH.search(text) for text in _sources(repository)):
        return "its routes lie behind #"
    return ""


def _pages(repository: Repository, framework: Framework) -> list[str]:
    """Further HTML files that the bundler is given."""
    known = {"index.html", _NOT_FOUND}
    beside = sorted(path.name for path in repository.root.glob("*.html") if path.name not in known)
    text = repository.script(repository.first(framework.configs)) if framework.configs else ""
    inputs = re.findall(r"[\"'`/]([\w./-]+\.html)[\"'`]", text) if "input" in text else []
    return [*beside, *(page for page in inputs if page.rpartition("/")[2] not in known)]


def _sources(repository: Repository) -> Iterator[str]:
    """The text of the front end's own sources."""
    folder = repository.root / "src"
    found = (path for path in folder.rglob("*") if _is_source(path))
    for path in islice(found, _MOST):
        yield repository.text(path.relative_to(repository.root).as_posix())


def _is_source(path: Path) -> bool:
    return path.suffix in _SOURCES and "node_modules" not in path.parts and path.is_file()
