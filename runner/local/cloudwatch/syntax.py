"""Reads metric math into trees. Pure; what it cannot read is a ValidationError.

Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from runner.local.cloudwatch import refusals

if TYPE_CHECKING:
    from lark import Lark, Tree

# Functions are in capitals and ids begin with a small letter, so that no name is both.
_GRAMMAR = r"""
?start: either
?either: both | either _OR both -> either
?both: comparison | both _AND comparison -> both
?comparison: sum | comparison COMPARED sum -> binary
?sum: product | sum SIGN product -> binary
?product: signed | product TIMES signed -> binary
?signed: power | "-" signed -> negative
?power: atom | atom POWER signed -> binary
?atom: NUMBER -> number | ID -> reference | TEXT -> text | WORD -> word | call | list
     | "(" either ")"
call: WORD "(" [either ("," either)*] ")"
list: "[" either ("," either)* "]"
_OR.2: "||" | /OR\b/
_AND.2: "&&" | /AND\b/
COMPARED: "==" | "!=" | "<=" | ">=" | "<" | ">"
SIGN: "+" | "-"
TIMES: "*" | "/"
POWER: "^"
WORD: /[A-Z][A-Z0-9_]*/
ID: /[a-z][A-Za-z0-9_]*/
TEXT: /"[^"]*"|'[^']*'/
NUMBER: /\d+(\.\d+)?([eE][+-]?\d+)?|\.\d+/
%import common.WS
%ignore WS
"""
LONGEST = 2048  # characters; Source: CloudWatch API reference, MetricDataQuery, Expression


def read(expression: str) -> Tree[Any]:
    """The tree of an expression; raises ValidationError."""
    from lark.exceptions import LarkError

    if not 1 <= len(expression) <= LONGEST:
        raise refusals.validation(f"An expression has 1 to {LONGEST} characters.")
    if expression.lstrip().upper().startswith("SELECT "):
        raise refusals.missing("Metrics Insights queries (SELECT)")
    try:
        return _parser().parse(expression)
    except LarkError:
        raise refusals.validation(
            f"Error in expression: Invalid syntax at '{expression[:80]}'"
        ) from None


def references(tree: Tree[Any]) -> Iterator[str]:
    """The ids that the expression names."""
    for found in tree.find_data("reference"):
        yield str(found.children[0])


def functions(tree: Tree[Any]) -> Iterator[str]:
    for found in tree.find_data("call"):
        yield str(found.children[0])


@cache
def _parser() -> Lark:
    # Only who uses metric math pays for the import.
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr")
