"""Comments on pull requests.

Source: docs.github.com, "REST API endpoints for issue comments": every pull request is an issue.
"""

from __future__ import annotations

from runner.local.github.asked import Answer, Asked, Handler, Listed, found_in
from runner.local.github.state import Comment, RefusedError

# Its own description does not say so; its answer does. Source: danger/danger#424.
_LONGEST = 65_536


def create(asked: Asked) -> Answer:
    pull = asked.pull(asked.number("issue_number"))
    comment = Comment(
        id=asked.state.id(),
        pull=pull.number,
        author=asked.token.login,
        body=_body(asked),
        created=asked.now,
        updated=asked.now,
    )
    asked.repository.comments[comment.id] = comment
    return Answer(status=201, value=asked.shapes.comment(comment, asked.repository))


def listed(asked: Asked) -> Listed:
    """Oldest first: by their ids, as GitHub orders them."""
    pull = asked.pull(asked.number("issue_number"))
    every = (each for each in asked.repository.comments.values() if each.pull == pull.number)
    return Listed(items=[asked.shapes.comment(each, asked.repository) for each in every])


def one(asked: Asked) -> Answer:
    return Answer(status=200, value=asked.shapes.comment(_found(asked), asked.repository))


def update(asked: Asked) -> Answer:
    comment = _own(asked)
    comment.body = _body(asked)
    comment.updated = asked.now
    return Answer(status=200, value=asked.shapes.comment(comment, asked.repository))


def delete(asked: Asked) -> Answer:
    del asked.repository.comments[_own(asked).id]
    return Answer(status=204)


def _found(asked: Asked) -> Comment:
    return found_in(asked.repository.comments, asked.number("comment_id"))


def _own(asked: Asked) -> Comment:
    """Others' comments are for those who may write to the repository; an app's token is not."""
    comment = _found(asked)
    mine = comment.author == asked.token.login
    role = asked.repository.roles.get(asked.token.login, "")
    if not mine and role not in ("admin", "write"):
        raise RefusedError(403, "Must have admin rights to Repository.")
    return comment


def _body(asked: Asked) -> str:
    body = str(asked.body["body"])
    if not body.strip():
        raise RefusedError(422, "Validation Failed", errors=("body cannot be blank",))
    if len(body) > _LONGEST:
        raise RefusedError(
            422,
            "Validation Failed",
            errors=(f"body is too long (maximum is {_LONGEST} characters)",),
        )
    return body


HANDLERS: dict[str, Handler] = {
    "issues/create-comment": create,
    "issues/list-comments": listed,
    "issues/get-comment": one,
    "issues/update-comment": update,
    "issues/delete-comment": delete,
}
