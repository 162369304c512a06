"""MkDocs' hook: README.md is the site's first page, so that there is one text and not two.

Its links are those of the repository's root: what lies in docs/ is next to it here, the rest is
led to the repository.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
_LINK = re.compile(r"\]\((?!https?:|#)([^)]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the page `index.md`."""
    files.append(File.generated(config, "index.md", content=first_page(config.repo_url or "")))
    return files


def first_page(repository: str) -> str:
    """README.md as a page of the site."""

    def led(found: re.Match[str]) -> str:
        target = found[1]
        if target.startswith("docs/"):
            return f"]({target.removeprefix('docs/')})"
        return f"]({repository}/blob/main/{target})"

    return _LINK.sub(led, (ROOT / "README.md").read_text(encoding="utf-8"))
