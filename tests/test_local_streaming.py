"""Answers in parts through the embedded cloud: function URL, edge, port."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from runner.execution.streaming import CutError
from runner.local.compute.function_url import FunctionUrls
from runner.local.server import Server
from runner.local.wire import Principal, Request, Response
from tests.cloudfront_site import (
    ALL_BUT_HOST,
    DISABLED,
    ENTRY,
    OPTIMIZED,
    World,
    behaviour,
    config,
    custom_origin,
)
from tests.compute_site import ACCOUNT, Plane

HEADERS = (("content-type", "text/plain"),)


def flowing(*parts: bytes, cut: bool = False, pause: float = 0) -> Response:
    def made() -> Iterator[bytes]:
        for part in parts:
            yield part
            time.sleep(pause)
        if cut:
            raise CutError("it failed")

    return Response(status=200, headers=HEADERS, parts=made())


def through_edge(answer: Response, *, policy: str = DISABLED, **how: Any) -> Response:
    """What a distribution makes of an origin's answer."""
    world = World({ENTRY: lambda _request: answer})
    origin = custom_origin(ENTRY, OriginReadTimeout=how.pop("seconds", 30))
    default = behaviour(
        "site", policy=policy, forward=ALL_BUT_HOST, protocol="allow-all", compress=True
    )
    host = world.distribute(**config(origin, default=default))["DomainName"]
    return world.ask(host, "/x", **how)


def body(answer: Response) -> bytes:
    assert answer.parts is not None
    return b"".join(answer.parts)


def test_an_edge_passes_parts_on_without_a_length_and_without_compressing() -> None:
    answer = through_edge(flowing(b"a" * 2000, b"b"), headers={"accept_encoding": "gzip"})
    assert answer.parts is not None
    assert [answer.header(name) for name in ("content-length", "content-encoding")] == ["", ""]
    assert answer.header("x-cache") == "Miss from cloudfront"
    assert next(answer.parts) == b"a" * 2000
    assert next(answer.parts) == b"b"


def test_what_is_stored_is_read_to_its_end() -> None:
    answer = through_edge(flowing(b"one ", b"two"), policy=OPTIMIZED)
    assert (answer.body, answer.parts, answer.header("content-length")) == (b"one two", None, "7")
    assert through_edge(flowing(b"one", cut=True), policy=OPTIMIZED).status == 502


@pytest.mark.parametrize("how", [{"cut": True}, {"pause": 3}])
def test_an_origin_that_fails_or_is_silent_cuts_the_stream(how: dict[str, Any]) -> None:
    answer = through_edge(flowing(b"one", **how), seconds=1)
    assert answer.parts is not None
    assert next(answer.parts) == b"one"
    with pytest.raises(CutError):
        next(answer.parts)


def test_a_range_of_a_stream_is_the_whole_stream() -> None:
    answer = through_edge(flowing(b"one"), headers={"range": "bytes=0-0"})
    assert (answer.status, body(answer)) == (200, b"one")


@pytest.fixture
def serve() -> Iterator[Any]:
    servers: list[Server] = []

    def start(answer: Response) -> int:
        server = Server(lambda _request: answer)
        server.start()
        servers.append(server)
        return server.port

    yield start
    for server in servers:
        server.stop()


def test_the_port_sends_a_part_before_the_next_is_there(serve: Any) -> None:
    go_on = threading.Event()

    def made() -> Iterator[bytes]:
        yield b"one"
        assert go_on.wait(5)
        yield b"two"

    port = serve(Response(status=200, headers=HEADERS, parts=made()))
    answer = urllib3.request("GET", f"http://127.0.0.1:{port}/", preload_content=False)
    arriving = answer.stream(100)
    assert next(arriving) == b"one"
    go_on.set()
    assert b"".join(arriving) == b"two"
    assert answer.headers["transfer-encoding"] == "chunked"


def test_a_cut_stream_has_no_last_chunk_and_the_connection_ends(serve: Any) -> None:
    port = serve(flowing(b"one", cut=True))
    with socket.create_connection(("127.0.0.1", port), timeout=5) as opened:
        opened.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        seen = b"".join(iter(lambda: opened.recv(1000), b""))
    assert seen.endswith(b"3\r\none\r\n")


@pytest.mark.parametrize("request_line", [b"HEAD / HTTP/1.1", b"GET / HTTP/1.0"])
def test_a_head_has_no_body_and_an_old_client_no_chunks(serve: Any, request_line: bytes) -> None:
    port = serve(flowing(b"one"))
    with socket.create_connection(("127.0.0.1", port), timeout=5) as opened:
        opened.sendall(request_line + b"\r\nhost: a\r\nconnection: close\r\n\r\n")
        seen = b"".join(iter(lambda: opened.recv(1000), b""))
    assert seen.partition(b"\r\n\r\n")[2] == (b"" if b"HEAD" in request_line else b"one")


DISTRIBUTION = f"arn:aws:cloudfront::{ACCOUNT}:distribution/E1"
EDGE = Principal(service="cloudfront.amazonaws.com", source_arn=DISTRIBUTION)


def called(folder: Path, mode: str, answer: bytes, content_type: str, error: str = "") -> Response:
    """What a function URL of this mode gives for what the function wrote."""
    plane = Plane(folder)
    plane.pool.answer, plane.pool.content_type, plane.pool.error = answer, content_type, error
    plane.create(Publish=True)
    plane("CreateAlias", FunctionName="f", Name="live", FunctionVersion="1")
    where = {"FunctionName": "f", "Qualifier": "live"}
    made = plane("CreateFunctionUrlConfig", **where, AuthType="AWS_IAM", InvokeMode=mode)
    for action, more in (
        ("lambda:InvokeFunctionUrl", {"FunctionUrlAuthType": "AWS_IAM"}),
        ("lambda:InvokeFunction", {"InvokedViaFunctionUrl": True}),
    ):
        plane(
            "AddPermission", **where, StatementId=str(len(action)), Action=action,
            Principal=EDGE.service, SourceArn=DISTRIBUTION, **more,
        )  # fmt: skip
    host = made["FunctionUrl"].split("/")[2]
    urls = FunctionUrls(plane.desk, plane.invoker, lambda key: key)
    return urls.handle(Request(method="GET", host=host, path="/", principal=EDGE))


PRELUDE = "application/vnd.awslambda.http-integration-response"


def test_a_streaming_url_gives_parts_and_a_buffered_one_does_not(tmp_path: Path) -> None:
    written = b'{"statusCode":202}' + bytes(8) + b"text"
    streams = called(tmp_path / "a", "RESPONSE_STREAM", written, PRELUDE)
    assert (streams.status, body(streams)) == (202, b"text")
    assert called(tmp_path / "b", "BUFFERED", written, PRELUDE).status == 502


def test_a_streaming_url_of_a_function_that_does_not_stream_answers_in_one_piece(
    tmp_path: Path,
) -> None:
    written = b'{"statusCode":201,"body":"whole"}'
    answer = called(tmp_path, "RESPONSE_STREAM", written, "application/json")
    assert (answer.status, answer.body, answer.parts) == (201, b"whole", None)


@pytest.mark.parametrize(
    ("written", "content_type", "error"),
    [
        (b"", "application/json", "Error"),
        (b"no prelude", PRELUDE, ""),
        (b"{}", PRELUDE, "Error"),
        (b'{"statusCode":"many"}' + bytes(8), PRELUDE, ""),
    ],
)
def test_what_fails_before_the_answer_begins_is_502(
    tmp_path: Path, written: bytes, content_type: str, error: str
) -> None:
    assert called(tmp_path, "RESPONSE_STREAM", written, content_type, error).status == 502


def test_a_url_whose_cors_is_emptied_has_none(tmp_path: Path) -> None:
    plane = Plane(tmp_path)
    plane.create()
    cors = {"AllowOrigins": ["*"]}
    plane("CreateFunctionUrlConfig", FunctionName="f", AuthType="AWS_IAM", Cors=cors)
    assert "Cors" not in plane("UpdateFunctionUrlConfig", FunctionName="f", Cors={})
