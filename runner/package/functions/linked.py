"""Functions that invoke others: what they call is part of what they are. Pure.

A caller is told the version that its own release has of the other, so it changes with it.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter

from runner.errors import Problem, site_error
from runner.model import Function
from runner.names import function_variable


def linked(functions: Iterable[Function]) -> tuple[Function, ...]:
    """The functions with digests that cover those that they may invoke.

    Raises JAM-FUNCTION-SETTINGS for a name that there is not, for two that give one variable, and
    for functions that call each other in a circle: none could be published first.
    """
    found = {function.name: function for function in functions}
    problems = [problem for each in found.values() for problem in _problems(each, found)]
    if problems:
        raise _refused(problems)
    made: dict[str, Function] = {}
    for name in _in_order(found):
        function = found[name]
        called = [made[other].digest for other in function.grants.invoke]
        digest = _sha([function.digest, called]) if called else function.digest
        made[name] = replace(function, digest=digest)
    return tuple(made[name] for name in found)


def _problems(function: Function, found: Mapping[str, Function]) -> Iterable[Problem]:
    where = f"functions.{function.name}.invoke"
    variables: dict[str, str] = {}
    for other in function.grants.invoke:
        if other not in found:
            near = difflib.get_close_matches(other, found, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"there are: {', '.join(found)}"
            yield Problem(where=where, message=f"there is no function `{other}`", hint=hint)
        first = variables.setdefault(function_variable(other), other)
        if first != other:
            message = f"`{first}` and `{other}` are both {function_variable(other)}"
            yield Problem(where=where, message=message, hint="rename one of them")


def _in_order(found: Mapping[str, Function]) -> Iterable[str]:
    graph = {name: function.grants.invoke for name, function in found.items()}
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = error.args[1][::-1]
        message = f"a circle of calls: {' -> '.join(circle)}"
        hint = "a function knows its own name from its context"
        problem = Problem(where=f"functions.{circle[0]}.invoke", message=message, hint=hint)
        raise _refused([problem]) from None


def _refused(problems: Iterable[Problem]) -> Exception:
    return site_error(
        "JAM-FUNCTION-SETTINGS",
        "functions have settings that cannot be",
        hint="Correct them in jam.toml.",
        problems=tuple(problems),
    )


def _sha(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:32]
