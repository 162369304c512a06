"""Finds the function that a command is about: the site's own, else any of the account."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from runner.aws.deployed import (
    Deployed,
    Described,
    Environment,
    describe,
    function_names,
    read_environment,
)
from runner.aws.session import Aws
from runner.errors import JamError, aws_error
from runner.names import Names
from runner.operate.choose import Target, choose, may_be_foreign, target_of, unknown


def find(aws: Aws, names: Names, *, word: str) -> tuple[Target, Described]:
    """The function that `word` means: the site's, in its live version, or one of the account.

    Raises JAM-FUNCTION-UNKNOWN and JAM-FUNCTION-AMBIGUOUS.
    """
    environment = read_environment(aws, names)
    own = choose(word, _functions(environment))
    if own:
        described = describe(aws, own.function, version=own.version)
        if described is None:
            raise _gone(own)
        return target_of(own), described
    found = describe(aws, word) if may_be_foreign(word) else None
    if found is None:
        raise _unknown(aws, environment, word=word)
    return Target(function=word, version="", shown=found.function), found


def own_functions(environment: Environment | None, word: str) -> tuple[Deployed, ...]:
    """The site's functions: all of them, or the one that `word` means."""
    functions = _functions(environment)
    if not word:
        return functions
    found = choose(word, functions)
    if found is None:
        names = [each.name for each in functions]
        raise unknown(word, names, live=environment is not None)
    return (found,)


def _functions(environment: Environment | None) -> tuple[Deployed, ...]:
    return environment.functions if environment else ()


def _gone(own: Deployed) -> JamError:
    return aws_error(
        "JAM-FUNCTION-GONE",
        f"Version {own.version} of {own.name} ({own.function}) is live by the site's record, but "
        "Lambda does not have it.",
        hint="Somebody deleted it: restore it with `jam-deploy deploy` after a change to it.",
    )


def _unknown(aws: Aws, environment: Environment | None, *, word: str) -> JamError:
    names = [each.name for each in _functions(environment)]
    with suppress(JamError):  # who may not list still learns the site's own names
        names += _all(function_names(aws), without=_functions(environment))
    return unknown(word, names, live=environment is not None)


def _all(found: Iterable[str], *, without: Iterable[Deployed]) -> list[str]:
    own = {each.function for each in without}
    return [name for name in found if name not in own]
