"""Modules that a Python function imports and that are nowhere: found before anything is deployed.

Reads syntax, runs nothing. What is imported under a condition is left to the run.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from runner.errors import Problem

# What comes with Lambda's Python, beside the standard library.
# Source: Lambda developer guide, "Building Lambda functions with Python", Runtime-included SDK.
_INCLUDED = frozenset({
    "awslambdaric", "boto3", "botocore", "dateutil", "jmespath", "runtime_client", "s3transfer",
    "simplejson", "six", "snapshot_restore_py", "urllib3",
})  # fmt: skip
# Modules that some Python of Lambda's has and the one that runs us may lack.
# Source: Python documentation, "What's New In Python" 3.12, 3.13 and 3.14, Removed, New modules.
_OF_SOME = frozenset({
    "aifc", "annotationlib", "asynchat", "asyncore", "audioop", "cgi", "cgitb", "chunk",
    "compression", "crypt", "distutils", "imghdr", "imp", "lib2to3", "mailcap", "msilib", "nis",
    "nntplib", "ossaudiodev", "pipes", "smtpd", "sndhdr", "spwd", "sunau", "telnetlib", "uu",
    "xdrlib",
})  # fmt: skip
_KNOWN = _INCLUDED | _OF_SOME | sys.stdlib_module_names


def absent(
    content: bytes, path: str, *, directory: str, members: Iterable[str]
) -> Iterator[Problem]:
    """What the function at `path` below `directory` imports at its top and `members` lack.

    `members` are the files of its archive. Such a function ends before it begins.
    """
    there = _KNOWN | _there(members, _searched(path, directory))
    for line, module in _imports(content):
        if module not in there:
            yield Problem(
                where=f"{directory}/{path}:{line}",
                message=f"there is no module `{module}`",
                hint="name its package in a requirements.txt beside it or above; a module of your "
                "own begins with `_` or lies in `lib/`",
            )


def _searched(path: str, directory: str) -> tuple[str, ...]:
    """Where the function's Python looks, as beginnings of paths in the archive."""
    above = (PurePosixPath(directory) / folder for folder in PurePosixPath(path).parents)
    return ("", "packages/", *(f"{folder.as_posix()}/" for folder in above))


def _there(members: Iterable[str], searched: tuple[str, ...]) -> frozenset[str]:
    return frozenset(
        member.removeprefix(folder).split("/")[0].partition(".")[0]
        for member in members
        for folder in searched
        if member.startswith(folder)
    )


def _imports(content: bytes) -> Iterator[tuple[int, str]]:
    try:
        body = ast.parse(content).body
    except (SyntaxError, ValueError):
        return  # newer than the Python that runs us: told elsewhere, or left to the run
    for node in body:
        match node:
            case ast.Import():
                yield from ((node.lineno, name.name.partition(".")[0]) for name in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                yield node.lineno, module.partition(".")[0]
