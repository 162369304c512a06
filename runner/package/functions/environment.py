"""The environment of each function: `.env` files by folder, settings on top.

Never our own environment: nothing is interpolated. Values appear in no message.
"""

from __future__ import annotations

import io
import json
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from dotenv.parser import Binding, parse_stream

from runner.errors import Problem

NAME = ".env"
# Source: Lambda API, CreateFunction, "Environment": keys have at least two characters.
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]+")
_LIMIT = 4096  # bytes of all together. Source: Lambda developer guide, "Lambda quotas"
# Source: Lambda developer guide, "Defined runtime environment variables", Reserved. TZ was on that
# list once and is settable today; the names below are not.
RESERVED = frozenset({
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
})  # fmt: skip

Variables = Mapping[str, str]


class Environments:
    """Reads each folder's `.env` once; `problems` collects what is wrong with the files."""

    def __init__(self, folder: Path) -> None:
        self.problems: list[Problem] = []
        self._folder = folder
        self._files: dict[str, Variables] = {}

    def of(self, path: str, settings: Variables) -> tuple[tuple[str, str], ...]:
        """The variables of the function at `path`: outer folders first, `settings` last."""
        merged: dict[str, str] = {}
        for folder in reversed(PurePosixPath(path).parents):
            merged.update(self._read(folder / NAME))
        return tuple(sorted({**merged, **settings}.items()))

    def _read(self, path: PurePosixPath) -> Variables:
        if str(path) not in self._files:
            text = self._text(path)
            self._files[str(path)] = dict(self._pairs(str(path), text))
        return self._files[str(path)]

    def _text(self, path: PurePosixPath) -> str:
        file = self._folder / path
        try:
            regular = stat.S_ISREG(file.lstat().st_mode)
        except FileNotFoundError:
            return ""
        if not regular:
            self._fault(str(path), "is no regular file")
            return ""
        return file.read_text(encoding="utf-8", errors="replace")

    def _pairs(self, path: str, text: str) -> Iterator[tuple[str, str]]:
        for binding in parse_stream(io.StringIO(text)):
            where = f"{path}:{_line(binding)}"
            if binding.error:
                self._fault(where, "is not NAME=value")
            elif binding.key is not None and binding.value is None:
                self._fault(where, f"{binding.key} has no value")
            elif binding.key is not None and binding.value is not None:
                self.problems += key_problems([binding.key], where)
                yield binding.key, binding.value

    def _fault(self, where: str, message: str) -> None:
        self.problems.append(Problem(where=where, message=message))


def key_problems(keys: Iterable[str], where: str) -> Iterator[Problem]:
    """Names that Lambda would refuse."""
    for key in keys:
        if key in RESERVED:
            yield Problem(where=where, message=f"{key} is reserved by Lambda")
        elif not _KEY.fullmatch(key):
            yield Problem(
                where=where,
                message=f"{key!r} is no name that Lambda takes",
                hint="A letter first, then letters, digits and `_`; at least two characters.",
            )


def size_problems(path: str, variables: tuple[tuple[str, str], ...]) -> Iterator[Problem]:
    """An environment that is too large for the function at `path`, counted as JSON text."""
    size = len(json.dumps(dict(variables), ensure_ascii=False, separators=(",", ":")).encode())
    if size > _LIMIT:
        yield Problem(
            where=path,
            message=f"has an environment of {size} bytes; Lambda takes {_LIMIT}",
            hint="Keep large values in Parameter Store or in a file of the function.",
        )


def _line(binding: Binding) -> int:
    """The line of the name: a binding begins where the one before it ended, blank lines too."""
    text = binding.original.string
    return binding.original.line + len(text[: len(text) - len(text.lstrip())].splitlines())
