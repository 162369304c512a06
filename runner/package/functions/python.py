"""Python functions as archives: the file, the local modules around it, its packages. No bytecode.

The archive holds the functions folder as in the site, `packages/` and an entry that loads the
function by path: `[id].py` is no module name, and `stripe.py` must not hide the package that it
imports.
"""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from runner.errors import Problem
from runner.package.archive import Member

HANDLER = "jam_function.handler"
# AWS's own examples say `lambda_handler`.
# Source: Lambda developer guide, "Define Lambda function handler in Python".
_HANDLERS = ("handler", "lambda_handler")
_OTHER_LANGUAGE = frozenset({".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx"})
# What Pythons after 3.11 allow: type parameters and `type`, f-strings in f-strings, template
# strings, `except` of several without parentheses.
# Source: Python documentation, "What's New In Python" 3.12 and 3.14.
_NEWER = re.compile(
    r"[ft]-string|\b[fFtTrR]{1,2}[\"']|^\s*type\s+\w|\b(?:def|class)\s+\w+\s*\[|^\s*except\b[^(]*,",
    re.MULTILINE,
)
# Packages go first, as Lambda puts a function's own before those of the runtime; local folders go
# last, so that a function named like a package does not take its place.
_ENTRY = '''"""Loads the function's own file. Written by jam-deploy."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

_here = Path(__file__).parent
sys.path.insert(0, str(_here / "packages"))
sys.path += [str(_here / folder) for folder in {folders!r}]
_spec = spec_from_file_location("jam_function_code", _here / {path!r})
_module = sys.modules[_spec.name] = module_from_spec(_spec)
_spec.loader.exec_module(_module)
handler = _module.{handler}
'''


def members(
    folder: Path,
    path: str,
    *,
    directory: str,
    files: Iterable[str],
    packages: Mapping[str, Member],
    handler: str,
) -> dict[str, Member]:
    """The files of the archive of the function at `path`, below `folder`.

    `directory` is where the folder lies in the site, and in the archive.
    """
    folders = [(PurePosixPath(directory) / above).as_posix() for above in _folders(path)]
    entry = _ENTRY.format(folders=folders, path=f"{directory}/{path}", handler=handler)
    return {
        "jam_function.py": entry.encode(),
        **{f"packages/{name}": member for name, member in packages.items()},
        **{
            f"{directory}/{name}": (folder / name).read_bytes()
            for name in [path, *local_files(path, files)]
        },
    }


def local_files(path: str, files: Iterable[str]) -> Iterator[str]:
    """What belongs to the function besides itself: `_*` and `lib/` beside it and above it."""
    folders = _folders(path)
    for file in files:
        *around, name = PurePosixPath(file).parts
        first = [
            part
            for part, above in zip([*around, name], PurePosixPath(file).parents[::-1], strict=True)
            if above in folders and (part.startswith("_") or part == "lib")
        ]
        if first and file != path and PurePosixPath(file).suffix not in _OTHER_LANGUAGE:
            yield file


def handler_of(content: bytes, where: str, *, runtime: str) -> tuple[str, Problem | None]:
    """The name of the function's handler, and what is wrong with its code, if anything is.

    An interpreter older than the function's cannot judge newer syntax: of a line that may be such
    nothing is said.
    """
    wanted = tuple(int(part) for part in runtime.removeprefix("python").split("."))
    try:
        tree = _parsed(content, where, version=min(wanted, sys.version_info[:2]))
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        problem = Problem(where=f"{where}:{line}", message=getattr(error, "msg", str(error)))
        may_be_newer = sys.version_info[:2] < wanted and _may_be_newer(error)
        return _HANDLERS[0], None if may_be_newer else problem
    names = set(_names(tree.body))
    for handler in _HANDLERS:
        if handler in names or "*" in names:
            return handler, _never_awaited(tree, handler, where=where)
    return _HANDLERS[0], Problem(where=where, message="defines no `handler(event, context)`")


def _may_be_newer(error: Exception) -> bool:
    said = f"{getattr(error, 'msg', '')}\n{getattr(error, 'text', '') or ''}"
    return bool(_NEWER.search(said))


def _never_awaited(tree: ast.Module, handler: str, *, where: str) -> Problem | None:
    """Lambda's runtime would try to send a coroutine as JSON.

    Source: aws/aws-lambda-python-runtime-interface-client, bootstrap.py, handle_event_request.
    """
    for node in tree.body:
        if isinstance(node, ast.AsyncFunctionDef) and node.name == handler:
            message = f"`{handler}` is `async def`, and nobody awaits it"
            hint = "def handler(event, context): return asyncio.run(main(event))"
            return Problem(where=f"{where}:{node.lineno}", message=message, hint=hint)
    return None


def _folders(path: str) -> list[PurePosixPath]:
    """The function's folder, those above it, and last the functions folder itself."""
    return list(PurePosixPath(path).parents)


def _parsed(content: bytes, where: str, *, version: tuple[int, ...]) -> ast.Module:
    with warnings.catch_warnings(action="ignore"):
        tree = ast.parse(content, where, feature_version=(version[0], version[1]))
        # The parser lets pass what the compiler refuses: a `return` outside a function.
        compile(content, where, "exec", dont_inherit=True)
    return tree


def _names(body: list[ast.stmt]) -> Iterator[str]:
    """Names that the statements of a module bind, those inside `if` and `try` included."""
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Import() | ast.ImportFrom():
                yield from (alias.asname or alias.name for alias in node.names)
            case ast.Assign():
                yield from (name.id for name in node.targets if isinstance(name, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.If() | ast.Try():
                yield from _names([*node.body, *node.orelse])
                yield from _names(
                    [line for one in getattr(node, "handlers", []) for line in one.body]
                )
