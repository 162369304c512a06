"""How CloudFront reaches origins: S3 by policy, signatures, what is forwarded, failing over."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.local.cloudfront import OriginUnreachableError
from runner.local.wire import Request, Response
from tests.cloudfront_site import (
    ALL,
    ALL_BUT_HOST,
    ALL_VIEWER,
    API,
    BUCKET,
    DISABLED,
    ENTRY,
    OPTIMIZED,
    World,
    behaviour,
    config,
    custom_origin,
    group,
    listed,
    s3_origin,
    text,
)


@pytest.fixture
def world() -> World:
    return World()


class TestS3:
    @pytest.fixture
    def site(self, world: World) -> Any:
        """A distribution on the bucket that may get objects and list them."""
        world.bucket(
            {"production/index.html": "home", "production/a b.html": "space",
             "production/é.html": "accent", "secret.html": "secret"},
            **{"cache-control": "max-age=60", "x-amz-meta-jam-release": "r1"},
        )  # fmt: skip
        made = world.distribute(
            **config(
                s3_origin(world.control(), path="/production"),
                default=behaviour("files", policy=DISABLED, forward=self.everything(world)),
            )
        )
        world.allow("s3:GetObject", "s3:ListBucket", arn=made["ARN"])
        return made

    @staticmethod
    def everything(world: World) -> str:
        return world.forwarding("queries", queries=["*"])

    def test_an_object_comes_with_its_metadata(self, world: World, site: Any) -> None:
        got = world.get(site["DomainName"], "/index.html")
        assert (got.status, got.body) == (200, b"home")
        assert got.header("x-amz-meta-jam-release") == "r1"
        assert got.header("cache-control") == "max-age=60"
        assert got.header("etag").startswith('"')

    def test_a_missing_object_is_404_with_list_bucket_and_403_without(
        self, world: World, site: Any
    ) -> None:
        missing = world.get(site["DomainName"], "/none")
        assert (missing.status, b"NoSuchKey" in missing.body) == (404, True)
        world.allow("s3:GetObject", arn=site["ARN"])
        denied = world.get(site["DomainName"], "/none")
        assert (denied.status, b"AccessDenied" in denied.body) == (403, True)

    def test_another_distribution_reads_nothing(self, world: World, site: Any) -> None:
        world.allow("s3:GetObject", arn=site["ARN"] + "X")
        assert world.get(site["DomainName"], "/index.html").status == 403

    def test_without_an_access_control_the_request_is_anonymous(self, world: World) -> None:
        world.bucket({"index.html": "home"})
        made = world.distribute(**config(s3_origin(), default=behaviour("files")))
        world.allow("s3:GetObject", arn=made["ARN"])
        assert world.get(made["DomainName"], "/index.html").status == 403

    def test_a_missing_bucket_is_404(self, world: World) -> None:
        made = world.distribute(**config(s3_origin(world.control()), default=behaviour("files")))
        assert b"NoSuchBucket" in world.get(made["DomainName"], "/x").body

    @pytest.mark.parametrize(
        ("path", "body"),
        [("/a%20b.html", b"space"), ("/a+b.html", b"space"), ("/%C3%A9.html", b"accent"),
         ("/a%2520b.html", None), ("/../secret.html", None)],
    )  # fmt: skip
    def test_the_address_is_decoded_once_and_a_plus_is_a_space(
        self, world: World, site: Any, path: str, body: bytes | None
    ) -> None:
        got = world.get(site["DomainName"], path)
        assert got.body == body if body else got.status == 404

    def test_s3_obeys_response_parameters_when_they_reach_it(self, world: World, site: Any) -> None:
        query = "response-content-type=text/plain&response-cache-control=max-age%3D1"
        got = world.get(site["DomainName"], f"/index.html?{query}")
        assert got.header("content-type") == "text/plain"
        assert got.header("cache-control") == "max-age=1"

    def test_a_part_number_makes_it_a_206(self, world: World, site: Any) -> None:
        got = world.get(site["DomainName"], "/index.html?partNumber=1")
        assert (got.status, got.header("content-range")) == (206, "bytes 0-3/4")
        assert world.get(site["DomainName"], "/index.html?partNumber=2").status == 416
        assert world.get(site["DomainName"], "/index.html?partNumber=x").status == 400

    def test_a_subresource_needs_a_right_of_its_own(self, world: World, site: Any) -> None:
        assert world.get(site["DomainName"], "/index.html?acl").status == 403

    def test_an_origin_path_keeps_visitors_out_of_the_root(self, world: World, site: Any) -> None:
        got = world.get(site["DomainName"], "/?list-type=2")
        assert (got.status, b"ListBucketResult" in got.body) == (404, False)

    def test_without_an_origin_path_the_root_is_a_public_list_of_keys(self, world: World) -> None:
        world.bucket({"secret.html": "x"})
        made = world.distribute(**config(s3_origin(world.control()), default=behaviour("files")))
        world.allow("s3:GetObject", "s3:ListBucket", arn=made["ARN"])
        assert b"<Key>secret.html</Key>" in world.get(made["DomainName"], "/").body

    def test_an_expired_object_is_revalidated_with_s3(self, world: World, site: Any) -> None:
        wanted = config(
            s3_origin(world.control(behaviour="no-override")), default=behaviour("files"),
            reference="two",
        )  # fmt: skip
        made = world.distribute(**wanted)
        world.allow("s3:GetObject", arn=made["ARN"])
        world.get(made["DomainName"], "/secret.html")
        world.later(61)
        got = world.get(made["DomainName"], "/secret.html")
        assert got.header("x-cache") == "RefreshHit from cloudfront"
        assert got.body == b"secret"
        assert world.edge.log.to("files")[-1].status == 304

    @pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
    def test_nothing_is_written_through_cloudfront(self, world: World, method: str) -> None:
        world.bucket({})
        wanted = config(s3_origin(world.control()), default=behaviour("files", methods=ALL))
        made = world.distribute(**wanted)
        world.allow("s3:*", arn=made["ARN"])
        assert world.ask(made["DomainName"], "/x", method=method, body=b"x").status == 403
        assert not world._moto("s3").buckets[BUCKET].keys

    def test_8_kb_of_headers_are_too_many_for_s3(self, world: World) -> None:
        world.bucket({"index.html": "home"})
        policy = world.policy("long", headers=["x-long"])
        wanted = config(s3_origin(world.control()), default=behaviour("files", policy=policy))
        made = world.distribute(**wanted)
        world.allow("s3:GetObject", arn=made["ARN"])
        assert world.get(made["DomainName"], "/index.html", x_long="x" * 7000).status == 200
        assert world.get(made["DomainName"], "/index.html", x_long="x" * 8192).status == 400


class Echo:
    """Keeps the last request."""

    def __init__(self, answer: Response | None = None) -> None:
        self.answer = answer or text()
        self.last = Request(method="", host="", path="")

    def __call__(self, request: Request) -> Response:
        self.last = request
        return self.answer


def custom(world: World, echo: Callable[[Request], Response], **more: Any) -> str:
    world.answers["origin.example.com"] = echo
    made = world.distribute(**config(custom_origin(), default=behaviour("site", **more)))
    return str(made["DomainName"])


class TestForwarding:
    def test_without_a_policy_an_origin_gets_cloudfronts_own_headers_only(
        self, world: World
    ) -> None:
        echo = Echo()
        host = custom(world, echo)
        world.get(host, "/a?b=c", cookie="d=e", accept_language="de", authorization="x", x_f="g",
                  user_agent="Mozilla", x_real_ip="1.2.3.4")  # fmt: skip
        names = {name for name, _ in echo.last.headers}
        assert names == {
            "host", "user-agent", "via", "x-amz-cf-id", "x-forwarded-for", "accept-encoding"
        }  # fmt: skip
        assert echo.last.header("host") == "origin.example.com"
        assert echo.last.header("user-agent") == "Amazon CloudFront"
        assert echo.last.header("x-forwarded-for") == "127.0.0.1"
        assert echo.last.query == ""

    def test_an_allow_list_takes_what_it_names(self, world: World) -> None:
        echo = Echo()
        forward = world.forwarding(
            headers=["Accept-Language", "CloudFront-Viewer-Country"], cookies=["jam-pin"],
            queries=["q"],
        )  # fmt: skip
        host = custom(world, echo, forward=forward)
        world.get(host, "/a?p=1&q=2", cookie="other=1; jam-pin=x", accept_language="de",
                  referer="r", x_jam_test_country="DE", cloudfront_viewer_country="XX")  # fmt: skip
        assert echo.last.header("accept-language") == "de"
        assert echo.last.header("cloudfront-viewer-country") == "DE"
        assert echo.last.header("cookie") == "jam-pin=x"
        assert echo.last.header("referer") == ""
        assert echo.last.query == "q=2"

    def test_all_but_host_takes_all_of_the_visitors_and_none_of_cloudfronts(
        self, world: World
    ) -> None:
        echo = Echo()
        host = custom(world, echo, policy=DISABLED, forward=ALL_BUT_HOST)
        world.get(host, "/a?p=1&q", cookie="a=1; b=2", authorization="x", user_agent="Mozilla",
                  cloudfront_viewer_country="XX", x_forwarded_for="9.9.9.9",
                  connection="close", x_edge_a="1")  # fmt: skip
        assert echo.last.query == "p=1&q"
        assert echo.last.header("cookie") == "a=1; b=2"
        assert echo.last.header("authorization") == "x"
        assert echo.last.header("user-agent") == "Mozilla"
        assert echo.last.header("host") == "origin.example.com"
        assert echo.last.header("x-forwarded-for") == "9.9.9.9, 127.0.0.1"
        for gone in ("cloudfront-viewer-country", "connection", "x-edge-a", "accept-encoding"):
            assert echo.last.header(gone) == ""

    def test_custom_headers_go_before_the_visitors(self, world: World) -> None:
        echo = Echo()
        world.answers["origin.example.com"] = echo
        secret = listed({"HeaderName": "X-Jam-Key", "HeaderValue": "ours"})
        wanted = config(
            custom_origin(CustomHeaders=secret),
            default=behaviour("site", policy=DISABLED, forward=ALL_BUT_HOST),
        )
        made = world.distribute(**wanted)
        world.get(made["DomainName"], x_jam_key="theirs")
        assert echo.last.header("x-jam-key") == "ours"

    @pytest.mark.parametrize("domain", [API, ENTRY])
    def test_a_forwarded_host_is_forbidden_at_aws(self, world: World, domain: str) -> None:
        world.answers[domain] = Echo()
        wanted = config(
            custom_origin(domain), default=behaviour("site", policy=DISABLED, forward=ALL_VIEWER)
        )
        made = world.distribute(**wanted)
        assert world.get(made["DomainName"]).status == 403

    def test_a_body_and_its_method_go_through(self, world: World) -> None:
        echo = Echo(text("made", status=201, set_cookie="a=1"))
        host = custom(world, echo, policy=DISABLED, forward=ALL_BUT_HOST, methods=ALL)
        got = world.ask(host, "/a", method="POST", body=b"x", headers={"content-type": "a/b"})
        assert (got.status, got.header("set-cookie")) == (201, "a=1")
        assert (echo.last.method, echo.last.body) == ("POST", b"x")
        assert echo.last.header("content-type") == "a/b"


class TestAdmission:
    @pytest.fixture
    def host(self, world: World) -> str:
        return custom(world, Echo())

    @pytest.mark.parametrize(
        ("method", "status"), [("POST", 403), ("OPTIONS", 403), ("TRACE", 405), ("HEAD", 200)]
    )
    def test_methods(self, world: World, host: str, method: str, status: int) -> None:
        assert world.ask(host, method=method).status == status

    def test_a_get_with_a_body_is_403(self, world: World, host: str) -> None:
        assert world.ask(host, body=b"x").status == 403

    def test_too_long_a_request_is_413(self, world: World, host: str) -> None:
        assert world.get(host, "/" + "x" * 8200).status == 413
        assert world.get(host, x_long="x" * 20500).status == 413

    def test_http_is_redirected_but_not_on_the_loopback_interface(
        self, world: World, host: str
    ) -> None:
        assert world.get(host, "/a?b").status == 200
        far = world.ask(host, "/a?b", client="203.0.113.9")
        assert (far.status, far.header("location")) == (301, f"https://{host}/a?b")

    def test_https_only_refuses_http(self, world: World) -> None:
        host = custom(world, Echo(), protocol="https-only")
        assert world.ask(host, client="203.0.113.9").status == 403


class TestBehaviours:
    def test_the_first_pattern_that_matches_the_path_wins_case_sensitively(
        self, world: World
    ) -> None:
        world.answers["origin.example.com"] = lambda r: text(r.path)
        origins = [custom_origin(identity=name, OriginPath=f"/{name}") for name in ("a", "b", "c")]
        others = [behaviour("a", pattern="/.functions/*"), behaviour("b", pattern="*.j?g")]
        made = world.distribute(**config(*origins, default=behaviour("c"), others=others))
        for path, served in (
            ("/.functions/x.jpg", "a"), ("/x.jpg", "b"), ("/x.JPG", "c"), ("/x.jpeg", "c"),
            ("/.functions", "c"),
        ):  # fmt: skip
            assert world.get(made["DomainName"], path).body.decode() == f"/{served}{path}"

    def test_the_default_root_object_stands_for_the_root_alone(self, world: World) -> None:
        world.answers["origin.example.com"] = lambda r: text(r.path)
        made = world.distribute(
            **config(custom_origin(), default=behaviour("site"), DefaultRootObject="index.html")
        )
        assert world.get(made["DomainName"], "/").body == b"/index.html"
        assert world.get(made["DomainName"], "/a/").body == b"/a/"


class TestFunctionUrls:
    def site(self, world: World, behaviour_: str = "always", **more: Any) -> tuple[str, Echo]:
        echo = world.answers[ENTRY] = Echo()
        control = world.control("lambda", behaviour_)
        more = {"policy": DISABLED, "forward": ALL_BUT_HOST, **more}
        made = world.distribute(
            **config(custom_origin(ENTRY, control=control), default=behaviour("site", **more))
        )
        return made["DomainName"], echo

    def test_a_signed_request_comes_from_the_distribution(self, world: World) -> None:
        host, echo = self.site(world)
        assert world.get(host, "/a", authorization="visitor").status == 200
        assert echo.last.principal is not None
        assert echo.last.principal.service == "cloudfront.amazonaws.com"
        assert echo.last.principal.source_arn.startswith("arn:aws:cloudfront::123456789012:dist")
        assert echo.last.header("authorization") == ""

    def test_no_override_leaves_a_visitors_authorization_and_does_not_sign(
        self, world: World
    ) -> None:
        host, echo = self.site(world, "no-override")
        world.get(host, "/a", authorization="visitor")
        assert echo.last.principal is None
        assert echo.last.header("authorization") == "visitor"

    def test_never_does_not_sign(self, world: World) -> None:
        host, echo = self.site(world, "never")
        world.get(host, "/a")
        assert echo.last.principal is None

    @pytest.mark.parametrize("path", ["/a%20b", "/a+b", "/%C3%A9", "/a=b", "/a@b", "/a(b)"])
    def test_a_path_that_needs_percent_encoding_fails_the_signature(
        self, world: World, path: str
    ) -> None:
        host, echo = self.site(world)
        got = world.get(host, path)
        assert (got.status, got.header("x-amzn-errortype")) == (403, "InvalidSignatureException")
        assert echo.last.path == ""

    @pytest.mark.parametrize("path", ["/a~20b", "/releases/x/about/index.html", "/a-b_c.d"])
    def test_a_path_of_unreserved_characters_passes(self, world: World, path: str) -> None:
        host, echo = self.site(world)
        assert world.get(host, path).status == 200
        assert echo.last.path == path

    def test_an_unsigned_body_is_refused_and_a_hashed_one_is_not(self, world: World) -> None:
        host, _echo = self.site(world, methods=ALL)
        digest = hashlib.sha256(b"x").hexdigest()

        def post(**headers: str) -> int:
            return world.ask(host, "/a", method="POST", body=b"x", headers=headers).status

        assert post() == 403
        assert post(x_amz_content_sha256="UNSIGNED-PAYLOAD") == 403
        assert post(x_amz_content_sha256=digest) == 200


class TestFailover:
    def site(self, world: World, *answers: Callable[[Request], Response],
             codes: tuple[int, ...] = (403, 404, 500, 502, 503, 504), policy: str = OPTIMIZED,
             **origin: Any) -> str:  # fmt: skip
        for name, answer in zip(("first", "second"), answers, strict=True):
            world.answers[f"{name}.example.com"] = answer
        made = world.distribute(
            **config(
                custom_origin("first.example.com", identity="first", OriginPath="/1", **origin),
                custom_origin("second.example.com", identity="second", OriginPath="/2"),
                default=behaviour("group", policy=policy),
                OriginGroups=listed(group("first", "second", codes=codes)),
            )
        )
        return str(made["DomainName"])

    def test_a_good_answer_of_the_first_is_the_answer(self, world: World) -> None:
        host = self.site(world, lambda _r: text("one"), lambda _r: text("two"))
        assert world.get(host).body == b"one"
        assert world.edge.log.to("second") == []

    @pytest.mark.parametrize("status", [403, 404, 503])
    def test_a_listed_status_asks_the_second_with_the_same_request(
        self, world: World, status: int
    ) -> None:
        second = Echo(text("two"))
        host = self.site(world, lambda _r: text(status=status), second)
        assert world.get(host, "/a").body == b"two"
        assert (second.last.path, second.last.header("host")) == ("/2/a", "second.example.com")

    @pytest.mark.parametrize(("status", "codes"), [(429, (503,)), (404, (503,)), (401, (403,))])
    def test_another_status_does_not(
        self, world: World, status: int, codes: tuple[int, ...]
    ) -> None:
        host = self.site(world, lambda _r: text(status=status), lambda _r: text(), codes=codes)
        assert world.get(host).status == status

    def test_no_connection_asks_the_second(self, world: World) -> None:
        def unreachable(_request: Request) -> Response:
            raise OriginUnreachableError

        host = self.site(world, unreachable, lambda _r: text("two"), codes=(404,))
        assert world.get(host).body == b"two"
        assert len(world.edge.log.to("first")) == 1

    def test_too_slow_an_answer_asks_the_second(self, world: World) -> None:
        times = []
        released = threading.Event()

        def slow(_request: Request) -> Response:
            times.append(1)
            released.wait(5)
            return text("late")

        host = self.site(world, slow, lambda _r: text("two"), codes=(404,),
                         OriginReadTimeout=1, ConnectionAttempts=1)  # fmt: skip
        assert world.get(host).body == b"two"
        released.set()
        assert len(times) == 1

    def test_when_both_fail_the_visitor_gets_the_second_ones_answer(self, world: World) -> None:
        host = self.site(world, lambda _r: text(status=503), lambda _r: text("no", status=404))
        assert (world.get(host).status, world.get(host).body) == (404, b"no")

    def test_what_the_second_gave_is_stored_and_served_in_the_firsts_place(
        self, world: World
    ) -> None:
        answers = [text(status=503), text("one")]
        host = self.site(
            world, lambda _r: answers.pop(0), lambda _r: text("two", cache_control="max-age=60")
        )
        world.get(host)
        assert world.get(host).body == b"two"


class TestUnreachableOrigins:
    def test_no_connection_is_502_after_all_attempts(self, world: World) -> None:
        times = []

        def unreachable(_request: Request) -> Response:
            times.append(1)
            raise ConnectionRefusedError

        host = custom(world, unreachable)
        got = world.get(host)
        assert (got.status, len(times)) == (502, 3)
        assert got.header("x-cache") == "Error from cloudfront"
        assert not any(name.startswith("x-edge") for name, _ in got.headers)

    def test_a_post_is_tried_once(self, world: World) -> None:
        times = []

        def unreachable(_request: Request) -> Response:
            times.append(1)
            raise OriginUnreachableError

        host = custom(world, unreachable, methods=ALL)
        assert world.ask(host, method="POST", body=b"x").status == 502
        assert len(times) == 1

    def test_too_slow_is_504(self, world: World) -> None:
        released = threading.Event()

        def slow(_request: Request) -> Response:
            released.wait(5)
            return text()

        world.answers["origin.example.com"] = slow
        origin = custom_origin(OriginReadTimeout=1, ConnectionAttempts=1)
        made = world.distribute(**config(origin, default=behaviour("site")))
        assert world.get(made["DomainName"]).status == 504
        released.set()


_TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=40)
_HEADERS = ("range", "if-none-match", "if-modified-since", "if-range", "cookie", "accept-encoding",
            "authorization", "host", "x-forwarded-for", "user-agent")  # fmt: skip


_REQUESTS = st.builds(
    Request,
    method=st.sampled_from([*ALL, "TRACE", "BREW"]),
    host=st.just(""),
    path=_TEXT.map("/{}".format),
    query=_TEXT,
    headers=st.lists(st.tuples(st.sampled_from(_HEADERS), _TEXT), max_size=5).map(tuple),
    body=st.sampled_from([b"", b"x"]),
)


# The site is made once for all examples: only its cache remembers.
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sent=_REQUESTS)
def test_whatever_a_visitor_sends_gets_an_answer(busy: str, world: World, sent: Request) -> None:
    assert 200 <= world.edge.handle(replace(sent, host=busy)).status < 600


@pytest.fixture
def busy(world: World) -> str:
    """A site with everything on: S3, a function, cookies, queries, compression."""
    world.bucket({"a": "x" * 2000}, **{"cache-control": "max-age=60"})
    code = """function handler(event) {
      if (event.request.uri.length % 2) event.request.uri = '/a'; return event.request; }"""
    forward = world.forwarding(queries=["*"], cookies=["*"], headers=["authorization-not"])
    made = world.distribute(
        **config(
            s3_origin(world.control()),
            default=behaviour("files", policy=world.policy(), forward=forward, compress=True,
                              request=world.function(code), methods=ALL),
        )
    )  # fmt: skip
    world.allow("s3:GetObject", "s3:ListBucket", arn=made["ARN"])
    return str(made["DomainName"])
