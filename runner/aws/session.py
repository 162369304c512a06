"""The way to one AWS account: who we are there, and the clients that all steps share.

Nothing is reached before it is needed; clock, sleep and chance are passed in. Calls are counted,
because a deploy reports them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import NoCredentialsError, NoRegionError

from runner.aws.identity import Identity, core, session_as
from runner.aws.nearby import stay_on_loopback
from runner.aws.patience import TRIES, Patience
from runner.aws.refusals import explained, name_service
from runner.aws.unanswered import addressed
from runner.together import at_once

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials
    from botocore.model import OperationModel
    from mypy_boto3_apigatewayv2.client import ApiGatewayV2Client
    from mypy_boto3_cloudformation.client import CloudFormationClient
    from mypy_boto3_cloudfront.client import CloudFrontClient
    from mypy_boto3_cloudfront_keyvaluestore.client import CloudFrontKeyValueStoreClient
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_iam.client import IAMClient
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_logs.client import CloudWatchLogsClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_sts.client import STSClient

T = TypeVar("T")
CONNECT_TIMEOUT = 3  # seconds
READ_TIMEOUT = 15  # seconds of silence, not of transfer
ATTEMPTS = 5  # of a call that may be repeated, by botocore: the rest is Patience's
CONNECTIONS = 64  # uploads and steps share a client's pool


Gate = Callable[["OperationModel", Any], Any]
"""Asked before each call; what it returns, unless that is None, is the call's answer."""


def _client(service: str, *, region: str = "") -> Any:
    """An attribute that becomes a client at its first use."""

    def make(aws: Aws) -> Any:
        return aws.make(service, ATTEMPTS, region=region, patience=Patience(aws.chance, aws.tries))

    return cached_property(make)


def _client_once(service: str, *, patient: bool) -> Any:
    """As `_client`, for calls without a token and without a unique name: looked up after.

    `patient`: sent again where AWS throttled it, for then it was not carried out.
    """

    def make(aws: Aws) -> Any:
        patience = Patience(aws.chance, aws.tries, faults=False) if patient else None
        return aws.make(service, 1, patience=patience)

    return cached_property(make)


class Aws:
    """Clients for one account and region, each made at its first use and shared by all threads.

    `clock` gives seconds of the epoch, `chance` a number in [0, 1) that spreads retries; `tries` is
    how often what AWS turned away for now is sent in all.
    """

    tries = TRIES

    def __init__(
        self,
        session: boto3.Session,
        endpoint: str | None,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        chance: Callable[[], float],
    ) -> None:
        self.clock = clock
        self.sleep = sleep
        self.chance = chance
        self.calls = 0
        self.gate: Gate | None = None
        self._teller = self  # who counts the calls
        self._session = session
        self._endpoint = endpoint
        self._lock = threading.RLock()  # a session makes clients for one thread at a time
        self._counting, self._asking = threading.Lock(), threading.Lock()
        self._caller: dict[str, str] = {}
        self._here = threading.local()
        session.events.register("before-send", self._count)
        session.events.register("before-call", self._ask)
        session.events.register("after-call", name_service)
        session.events.register("before-sign.cloudfront-keyvaluestore", stay_on_loopback)

    @property
    def region(self) -> str:
        return self._session.region_name

    @property
    def partition(self) -> str:
        return self._session.get_partition_for_region(self.region)

    @property
    def account(self) -> str:
        """The account's number, and the proof that the credentials hold."""
        return self.caller["Account"]

    @property
    def caller(self) -> dict[str, str]:
        """`Account` and `Arn` of whoever these credentials are; asked once."""
        with self._asking, explained():
            if not self._caller:
                found = self.sts.get_caller_identity()
                self._caller = {"Account": found["Account"], "Arn": found["Arn"]}
            return self._caller

    def meanwhile(self, look: Callable[[], T]) -> T:
        """What `look` finds in the records, asked at the same time as who we are; if both fail,
        that is told."""
        # Made before one of them is asked: a client takes as long to make as an answer to come.
        _ = self.sts, self.records
        with at_once(1, name="caller") as pool:
            asked = pool.submit(lambda: self.account)
            try:
                return look()
            finally:
                asked.result()

    def prepare(self, *clients: str) -> None:
        """Makes them in a thread of its own, while something else is waited for."""

        def make() -> None:
            for each in clients:
                getattr(self, each)

        threading.Thread(target=make, name="clients", daemon=True).start()

    sts: STSClient = _client("sts")
    s3: S3Client = _client("s3")
    functions: LambdaClient = _client("lambda")
    records: DynamoDBClient = _client("dynamodb")
    roles: IAMClient = _client("iam")
    logs: CloudWatchLogsClient = _client("logs")
    edge: CloudFrontClient = _client("cloudfront")
    values: CloudFrontKeyValueStoreClient = _client("cloudfront-keyvaluestore")
    stacks: CloudFormationClient = _client("cloudformation")
    api: ApiGatewayV2Client = _client("apigatewayv2")
    parameters: Any = _client("ssm")  # two calls: not worth its stubs
    secrets: Any = _client("secretsmanager")  # one call
    queues: Any = _client("sqs")  # three calls: not worth their stubs
    schedules: Any = _client("scheduler")
    metrics: Any = _client("cloudwatch")  # one call: not worth its stubs
    deployments: Any = _client("codedeploy")
    rules: Any = _client("events")
    # CloudFront has certificates from this region alone. Source: CloudFront developer guide,
    # "Requirements for using SSL/TLS certificates with CloudFront".
    certificates: Any = _client("acm", region="us-east-1")
    dns: Any = _client("route53")
    api_once: ApiGatewayV2Client = _client_once("apigatewayv2", patient=False)  # api.made_once is
    deployments_once: Any = _client_once("codedeploy", patient=True)

    def make(
        self,
        service: str,
        attempts: int,
        *,
        read_timeout: int = READ_TIMEOUT,
        region: str = "",
        patience: Patience | None = None,
    ) -> Any:
        """A new client that gives up after so many `attempts` of a call, if `patience` does not.

        `read_timeout` is for calls whose answer takes longer, in seconds; `region` is another one
        than the session's.
        """
        config = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=read_timeout,
            tcp_keepalive=read_timeout > READ_TIMEOUT,
            max_pool_connections=CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": attempts},
            user_agent_extra="jam-deploy",
        )
        make: Any = self._session.client  # its overloads want the service's name as a literal
        with self._lock, explained():
            where = {"region_name": region} if region else {}
            with addressed():
                client = make(service, endpoint_url=self._endpoint, config=config, **where)
                _ = urlsplit(client.meta.endpoint_url).port  # a wrong one raises when it is read
            # botocore makes a service's exceptions at their first use: two threads would each
            # make their own, and `except client.exceptions.X` miss what the other one raised.
            client.exceptions  # noqa: B018
        if patience:
            client.meta.events.register_last("needs-retry", patience.needs_retry)
        return client

    def beside(self, gate: Gate) -> Aws:
        """The same account by clients of its own, all of whose calls ask `gate` first."""
        mine = self.credentials()
        session = boto3.Session(
            aws_access_key_id=mine.access_key,
            aws_secret_access_key=mine.secret_key,
            aws_session_token=mine.token,
            region_name=self.region,
            botocore_session=core(),
        )
        other = Aws(session, self._endpoint, clock=self.clock, sleep=self.sleep, chance=self.chance)
        other.gate = gate
        other._teller = self._teller
        return other

    def parameter(self, name: str) -> str:
        """The value of a parameter of Systems Manager, decrypted."""
        with explained():
            found = self.parameters.get_parameter(Name=name, WithDecryption=True)
        return str(found["Parameter"]["Value"])

    def counted(self) -> None:
        """One more call that went out by another way than boto3's clients (uploads)."""
        with self._counting:
            self.calls += 1

    def credentials(self) -> ReadOnlyCredentials:
        """What boto3's chain holds now, refreshed if need be: for the CRT's own client."""
        with explained():
            found = self._session.get_credentials()
            if found is None:
                raise NoCredentialsError
            return found.get_frozen_credentials()

    @contextmanager
    def fenced(self, fence: Callable[[], None]) -> Iterator[None]:
        """What this thread sends meanwhile it sends only if `fence` lets it, asked each time when
        the request is signed and about to leave.

        For what knows no condition of AWS's own, as DeleteFunction: whoever slept finds out. What
        has left and is still under way AWS refuses once its signature is five minutes old.
        Source: IAM user guide, "Elements of an AWS API request signature".
        """
        before = getattr(self._here, "fence", None)
        self._here.fence = fence
        try:
            yield
        finally:
            self._here.fence = before

    def _count(self, **_: object) -> None:
        self._teller.counted()
        if fence := getattr(self._here, "fence", None):
            self._here.fence = None  # it may ask AWS itself
            try:
                fence()
            finally:
                self._here.fence = fence

    def _ask(self, model: OperationModel, params: Any, **_: object) -> Any:
        """botocore sends nothing where this answers. Source: boto3's guide, "Extensibility"."""
        return self.gate(model, params) if self.gate else None


def connect(
    *,
    region: str | None,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    chance: Callable[[], float],
    endpoint: str | None = None,
    identity: Identity | None = None,
) -> Aws:
    """The account that `identity`, or else boto3's own chain of credentials, leads to.

    Reaches nothing yet. Without `region` and `endpoint` the standard chain decides (AWS_REGION,
    AWS_ENDPOINT_URL). Raises JamError `JAM-REGION-MISSING` if nothing names a region, and others
    for a region, a profile or AWS's own settings that are wrong.
    """
    with explained():
        if identity:
            session = session_as(identity, region=region)
        else:
            session = boto3.Session(region_name=region, botocore_session=core())
        if not session.region_name:
            raise NoRegionError
        session.get_partition_for_region(session.region_name)  # it has none if there is none
    return Aws(session, endpoint, clock=clock, sleep=sleep, chance=chance)
