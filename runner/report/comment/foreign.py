"""Text from outside as Markdown and HTML in which it can do nothing but be read. Pure.

GitHub makes links, mentions and pictures of much that is never marked as such, before and after
it reads HTML: so no character that means anything to Markdown or HTML is left as it is, and what
is foreign stands in `<code>` or `<pre>`, where GitHub makes no mentions or references.
Sources: GitHub Flavored Markdown Spec, 2.5 "Entity and numeric character references", 6.9
"Autolinks (extension)"; docs.github.com, "Basic writing and formatting syntax".
"""

from __future__ import annotations

import re

from runner.report.printable import printable

LONGEST = 200  # characters of one name
# Accents upon accents reach over the lines around them. Source: Unicode Standard, 7.9, blocks.
_STACK = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0]"
_MARKS = re.compile(rf"({_STACK}{{3}}){_STACK}+")
# What Markdown, HTML or one of GitHub's own marks begins or ends with. An address of mail is looked
# for in what entities stand for, but not across an HTML comment.
_MEANT = str.maketrans(
    {each: f"&#{ord(each)};" for each in "!\"#$&'()*:<>?[\\]^_`{|}~"} | {"@": "&#64;<!-- -->"}
)
_WWW = re.compile(r"(?<=[wW])\.")  # a link too
_HOST = r"(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}"
_HERE = r"(?:localhost|127\.0\.0\.1|[a-z0-9.-]{1,250}\.localhost)"  # the embedded cloud's
_REST = r"(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?"
_URL = re.compile(rf"https://{_HOST}{_REST}|https?://{_HERE}{_REST}")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


def code(text: str, *, longest: int = LONGEST) -> str:
    """One line of foreign text; nothing for nothing."""
    line = " ".join(_seen(text).split())
    return f"<code>{_escaped(_short(line, longest))}</code>" if line else ""


def block(lines: tuple[str, ...], *, longest: int = LONGEST) -> str:
    """Lines of foreign text as they stand; needs an empty line before and after it."""
    shown = (_escaped(_short(_seen(line.replace("\n", " ")), longest)) for line in lines)
    return "<pre><code>" + "\n".join(shown) + "\n</code></pre>"


def link(url: str, text: str = "") -> str:
    """A link to an address of ours; one that may not be one is text. `text` is never foreign."""
    if not _URL.fullmatch(url):
        return code(url)
    return f"[{text or _escaped(url.partition('://')[2].rstrip('/'))}]({url})"


def commit(digest: str, *, run_url: str = "") -> str:
    """A commit, short; linked where the run's page tells its repository."""
    if not _COMMIT.fullmatch(digest):
        return code(digest, longest=40)
    repository, found, _ = run_url.partition("/actions/runs/")
    shown = f"<code>{digest[:7]}</code>"
    return link(f"{repository}/commit/{digest}", shown) if found else shown


def _seen(text: str) -> str:
    """Nothing in it moves, turns or overflows the text around it."""
    return _MARKS.sub(r"\1", printable(text))


def _short(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _escaped(text: str) -> str:
    return _WWW.sub("&#46;", text.translate(_MEANT))
