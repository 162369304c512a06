"""A command on the embedded cloud lives in the cloud's time."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from runner.cli.times import times_of

FAR = 4_000_000_000.0  # seconds of the epoch


class Clock(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        told = json.dumps({"now": FAR, "speed": 100}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_: object) -> None:
        """Nobody asked."""


def test_between_two_looks_time_goes_on_as_it_went_and_where_the_cloud_does_not_say() -> None:
    server = HTTPServer(("127.0.0.1", 0), Clock)
    serving = Thread(target=server.serve_forever)
    serving.start()
    try:
        times = times_of({"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"})
        read = [times.now() for _ in range(50)]
        assert read == sorted(read)
        assert read[0] >= FAR
        assert Clock.asked < 50
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
    first = times.now()
    times.sleep(1)
    assert times.now() >= first + 1 > FAR
    assert times.speed() == 100


def test_where_nothing_of_ours_answers_it_is_the_machines_time() -> None:
    assert times_of({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}).now() < FAR
    assert times_of({}).speed() == 1
