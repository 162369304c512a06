"""A plain HTML site, served from its folder as it lies, under the addresses of a deploy."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from runner.execution.http_messages import Request, Response
from runner.package.content import content_type

_NOT_FOUND = b"<!doctype html><title>404</title><h1>There is no such page</h1>\n"


# What a deploy reads or leaves out: runner/build/publish.py.
_NOT_PUBLISHED = frozenset({
    "_headers", "_redirects", "jam.toml", "node_modules", "package.json", "package-lock.json",
})  # fmt: skip


class Pages:
    """Reads the files anew for every request."""

    def __init__(self, folder: Path, *, functions: Path) -> None:
        self._folder = folder.resolve()
        self._functions = functions.resolve()

    def answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response(status=405, headers=(("allow", "GET, HEAD"),))
        path = unquote(request.path).strip("/")
        for name in (path, f"{path}/index.html".strip("/"), f"{path}.html"):
            found = self._file(name)
            if found:
                return self._response(200, found)
        missing = self._file("404.html")
        if missing:
            return self._response(404, missing)
        return Response(status=404, headers=(("content-type", "text/html"),), body=_NOT_FOUND)

    def _file(self, name: str) -> Path | None:
        """A file that a deploy would publish; nothing hidden, nothing outside of the folder."""
        parts = name.split("/")
        if any(part.startswith(".") and part != ".well-known" for part in parts) or "\0" in name:
            return None
        if parts[0] in _NOT_PUBLISHED:
            return None
        path = (self._folder / name).resolve()
        inside = path.is_relative_to(self._folder) and path.is_file()
        return path if inside and not path.is_relative_to(self._functions) else None

    def _response(self, status: int, file: Path) -> Response:
        headers = (("content-type", content_type(file.name)), ("cache-control", "no-store"))
        return Response(status=status, headers=headers, body=file.read_bytes())
