"""GitHub's expressions, as far as the examples use them: what `${{ ... }}` and `if:` come to.

Source: docs.github.com, "Evaluate expressions in workflows and actions".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lark import Lark, Token, Transformer

_GRAMMAR = r"""
?start: or
?or: and | or "||" and -> either
?and: same | and "&&" same -> both
?same: not | same "==" not -> equal | same "!=" not -> other
?not: value | "!" not -> negated
?value: "(" or ")"
    | STRING -> text
    | NUMBER -> number
    | NAME "(" [or ("," or)*] ")" -> call
    | NAME ("." NAME)* -> found
STRING: /'([^']|'')*'/
NUMBER: /[0-9]+/
NAME: /[a-zA-Z_][a-zA-Z0-9_-]*/
%ignore /\s+/
"""
_PARSER = Lark(_GRAMMAR, parser="lalr")
_HOLE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


def filled(text: str, contexts: Mapping[str, Any]) -> str:
    """The text with its expressions' values in it."""
    return _HOLE.sub(lambda found: _shown(value(found[1], contexts)), text)


def holds(condition: str, contexts: Mapping[str, Any]) -> bool:
    return bool(value(condition.removeprefix("${{").removesuffix("}}"), contexts))


def value(expression: str, contexts: Mapping[str, Any]) -> Any:
    return _Reckoned(contexts).transform(_PARSER.parse(expression))


def _shown(it: Any) -> str:
    if isinstance(it, bool):
        return str(it).lower()
    return "" if it is None else str(it)


class _Reckoned(Transformer[Token, Any]):
    """Whatever a context does not have is null."""

    def __init__(self, contexts: Mapping[str, Any]) -> None:
        super().__init__()
        self.contexts = contexts

    def text(self, parts: list[Token]) -> str:
        return parts[0][1:-1].replace("''", "'")

    def number(self, parts: list[Token]) -> int:
        return int(parts[0])

    def found(self, parts: list[Token]) -> Any:
        it: Any = self.contexts
        for name in parts:
            it = it.get(str(name)) if isinstance(it, Mapping) else None
        return it

    def call(self, parts: list[Any]) -> str:
        name, *told = parts
        assert name == "format", name
        return str(told[0]).format(*map(_shown, told[1:]))

    def either(self, parts: list[Any]) -> Any:
        return parts[0] or parts[1]

    def both(self, parts: list[Any]) -> Any:
        return parts[0] and parts[1]

    def equal(self, parts: list[Any]) -> bool:
        return _same(parts)

    def other(self, parts: list[Any]) -> bool:
        return not _same(parts)

    def negated(self, parts: list[Any]) -> bool:
        return not parts[0]


def _same(parts: list[Any]) -> bool:
    """Texts are equal whatever their case."""
    one, two = (it.lower() if isinstance(it, str) else it for it in parts)
    return bool(one == two)
