"""Functions that invoke others: they change with them, and no circle can be published."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.errors import JamError
from runner.model import Function, Grants
from runner.package.functions.linked import linked
from tests.builders import a_function


def calling(name: str, *others: str, content: str = "x") -> Function:
    return replace(a_function(name, content), grants=Grants(owner=name, invoke=others))


def digests(*functions: Function) -> dict[str, str]:
    return {each.name: each.digest for each in linked(functions)}


def test_a_function_changes_with_those_that_it_calls_however_far():
    chain = (calling("a", "b"), calling("b", "c"))
    before = digests(*chain, a_function("c"), a_function("d"))
    after = digests(*chain, a_function("c", "new"), a_function("d"))
    assert {name for name in before if before[name] != after[name]} == {"a", "b", "c"}


def test_functions_that_call_nobody_stay_as_they_are():
    functions = (a_function("b"), a_function("a"))
    assert linked(functions) == functions


@pytest.mark.parametrize(
    ("functions", "message"),
    [
        ([calling("a", "mial"), a_function("mail")], "there is no function `mial` (did you mean"),
        ([calling("a", "b"), calling("b", "a")], "a circle of calls: "),
        ([calling("a", "a")], "a circle of calls: a -> a"),
        (
            [calling("a", "x/y", "x-y"), a_function("x/y"), a_function("x-y")],
            "`x/y` and `x-y` are both JAM_FUNCTION_X_Y",
        ),
    ],
)
def test_calls_that_cannot_be_are_refused_by_name(functions: list[Function], message: str):
    with pytest.raises(JamError) as raised:
        linked(functions)
    assert message in str(raised.value)
