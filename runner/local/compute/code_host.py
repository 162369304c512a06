"""The host that GetFunction's `Code.Location` names: hands out the zips of functions."""

from __future__ import annotations

import re
from collections.abc import Iterable

from runner.local.compute.store import LATEST, Store
from runner.local.wire import Request, Response

_HOST = re.compile(r"awslambda-(?P<region>[a-z0-9-]+)-tasks\.s3\.(?P=region)\.amazonaws\.com")
_PATH = re.compile(r"/snapshots/(?P<name>[A-Za-z0-9-_]+)/(?P<version>LATEST|[0-9]+)")


class CodeHost:
    """The hosts `awslambda-<region>-tasks.s3.<region>.amazonaws.com`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def owns(self, host: str) -> bool:
        return _HOST.fullmatch(host) is not None

    def names(self) -> Iterable[str]:
        regions = {region for region, _ in list(self._store.functions)}
        return [f"awslambda-{region}-tasks.s3.{region}.amazonaws.com" for region in regions]

    def handle(self, request: Request) -> Response:
        host, path = _HOST.fullmatch(request.host), _PATH.fullmatch(request.path)
        function = self._store.find(host["region"], path["name"]) if host and path else None
        if function is None or path is None:
            return Response(status=404)
        number = path["version"]
        version = function.version(LATEST if number == "LATEST" else number)
        if version is None:
            return Response(status=404)
        headers = (("content-type", "application/zip"),)
        return Response(status=200, headers=headers, body=version.code.archive.read_bytes())
