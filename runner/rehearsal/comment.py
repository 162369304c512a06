"""Comments on a pull request as GitHub shows them, near enough to judge by."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_STYLE = Path(__file__).with_name("github.css")


def page_of(comments: Iterable[str], *, style: str = "") -> str:
    """A page with these comments, each GitHub-flavoured Markdown; `style` comes first."""
    import cmarkgfm
    from cmarkgfm.cmark import Options

    shown = "".join(
        '<div class="comment"><header><b>github-actions</b> <i>bot</i> commented</header>'
        '<div class="body">'
        + cmarkgfm.github_flavored_markdown_to_html(each, options=Options.CMARK_OPT_UNSAFE)
        + "</div></div>"
        for each in comments
    )
    css = style + _STYLE.read_text(encoding="utf-8")
    return f'<!doctype html><meta charset="utf-8"><style>{css}</style>{shown}'
