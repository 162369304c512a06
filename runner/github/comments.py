"""One comment a site and pull request, found again by its author and a hidden marker.

By the marker alone anybody could plant one; a comment of whoever may only comment is never ours.
"""

from __future__ import annotations

from runner.errors import JamError
from runner.github import GitHub
from runner.github.codes import DENIED, DOWN, GONE
from runner.github.values import Comment

LONGEST = 65_536  # characters of a comment's body


def marker_of(repository: int, site: str) -> str:
    """The first line of the comment of `site`: nothing of it is seen."""
    return f"<!-- jam-deploy:preview:{repository}:{site} -->"


def upsert_comment(
    github: GitHub, pull: int, *, marker: str, body: str, author: str = ""
) -> Comment:
    """The comment with `marker`, which now says `body`; further ones of its author are deleted.

    Without `author` it is whoever the token is of; an app's token does not say, so that any bot's
    counts. Raises JamError; after one the next call finds what there is.
    """
    text = f"{marker}\n{body}"
    found = _found(github, pull, marker=marker, author=author)
    for place, each in enumerate(found):
        try:
            kept = each if each.body == text else github.edit_comment(each.id, text)
        except JamError as error:
            if error.code not in (GONE, DENIED):
                raise
            continue  # deleted meanwhile, or another bot's
        _tidy(github, [it for it in found[place + 1 :] if it.author == kept.author])
        return kept
    return _created(github, pull, marker=marker, text=text, author=author)


def said(github: GitHub, pull: int, *, marker: str, author: str = "") -> str:
    """What the comment says below its marker; empty where there is none."""
    found = _found(github, pull, marker=marker, author=author)
    return found[0].body.removeprefix(f"{marker}\n") if found else ""


def remove_comment(github: GitHub, pull: int, *, marker: str, author: str = "") -> None:
    """The comment with `marker` is gone."""
    _tidy(github, _found(github, pull, marker=marker, author=author))


def _found(github: GitHub, pull: int, *, marker: str, author: str) -> list[Comment]:
    """Oldest first."""
    wanted = author or github.login()
    return [
        each
        for each in github.comments(pull)
        if each.body.startswith(marker) and (each.author == wanted if wanted else each.bot)
    ]


def _created(github: GitHub, pull: int, *, marker: str, text: str, author: str) -> Comment:
    """Sent once. If the answer is lost, a look tells whether the comment is there."""
    try:
        return github.create_comment(pull, text)
    except JamError as error:
        if error.code != DOWN:
            raise
        for each in _found(github, pull, marker=marker, author=author):
            if each.body == text:
                return each
        raise


def _tidy(github: GitHub, comments: list[Comment]) -> None:
    for each in comments:
        try:
            github.delete_comment(each.id)
        except JamError as error:
            if error.code not in (GONE, DENIED):
                raise
