"""What runtime cloudfront-js-2.0 does not understand, refused before V8 would let it pass. Pure.

V8 knows every feature of the language; the runtime knows ES 5.1 and a list of later ones. Source:
CloudFront developer guide, "JavaScript runtime 2.0 features for CloudFront Functions".
"""

from __future__ import annotations

import re

from runner.local.edge_rules import EdgeFunctionError

MAXIMUM_CODE = 10 * 1024  # bytes; "Quotas on CloudFront Functions", Maximum function size
_MODULES = ("cloudfront", "crypto")
_NOT_HERE = ("buffer", "querystring")  # the runtime has them, the embedded cloud does not

_TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`"""
    r"""|(?<=[=(,:!&|?;{}\[\n>])\s*/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*""",
    re.DOTALL,
)
_IMPORT = re.compile(
    r"""^[ \t]*import\s+([A-Za-z_$][\w$]*)\s+from\s+(['"])([^'"]*)\2[ \t]*;?""", re.MULTILINE
)
_UNKNOWN = (
    (r"\bclass\b", "classes"),
    (r"\?\.(?!\d)", "optional chaining (?.)"),
    (r"\?\?", "nullish coalescing (??)"),
    (r"\byield\b|\bfunction\s*\*", "generators"),
    (r"\b(?:const|let|var)\s*[\[{]", "destructuring"),
    (r"\bfor\s*(?:await\s*)?\(\s*(?:(?:const|let|var)\s+)?[\w$]+\s+of\b", "for...of"),
    (r"\bfor\s+await\b", "for await"),
    (r"[\[(,]\s*\.\.\.[^)]*[\](](?!\s*(?:=>|\{))", "spread (...)"),
    (r"\bcatch\s*\{", "catch without a binding"),
    (r"\bimport\b", "this form of import"),
    (r"\bexport\b", "export"),
    (r"%[A-Z]\w*\s*\(", "natives"),
    (r"\brequire\s*\(", "require (in the embedded cloud)"),
)
_ASYNC = re.compile(r"\basync\b")


def prepare(code: str) -> str:
    """The code as V8 runs it, its imports turned into constants."""
    if len(code.encode()) > MAXIMUM_CODE:
        raise EdgeFunctionError.execution(f"FunctionSizeLimitExceeded: {MAXIMUM_CODE} bytes")
    bare = _TOKEN.sub(_blank, _IMPORT.sub("", code))
    for pattern, name in _UNKNOWN:
        if found := re.search(pattern, bare):
            line = bare.count("\n", 0, found.start()) + 1
            raise EdgeFunctionError.execution(f"SyntaxError: {name} not supported, line {line}")
    _check_async(bare)
    return _IMPORT.sub(_constant, code)


def _blank(found: re.Match[str]) -> str:
    """A comment or literal without its content; lines keep their numbers."""
    text = found[0]
    kept = "" if text.startswith(("//", "/*")) else '""'
    return kept + "\n" * text.count("\n")


def _check_async(bare: str) -> None:
    """Async functions stand at the top: closures and arguments may not be async.

    Source: CloudFront developer guide, "Use async and await".
    """
    for found in _ASYNC.finditer(bare):
        before = bare[: found.start()]
        if before.count("{") > before.count("}") or before.count("(") > before.count(")"):
            raise EdgeFunctionError.execution("SyntaxError: async closures are not supported")


def _constant(found: re.Match[str]) -> str:
    name, module = found[1], found[3]
    if module in _MODULES:
        return f"const {name} = __module('{module}');"
    reason = "is not emulated" if module in _NOT_HERE else "does not exist"
    raise EdgeFunctionError.execution(f"Cannot load module {module!r}: it {reason}")
