"""AWS's rules that the embedded Lambda and HTTP APIs keep, and what they have not."""

from __future__ import annotations

from runner.local import tagging
from runner.local.wire import Rule

_LAMBDA = "Lambda developer guide, "
_API = "API Gateway developer guide, "


def _function(rule: str, page: str) -> Rule:
    return Rule(service="lambda", rule=rule, page=page)


def _api(rule: str, page: str) -> Rule:
    return Rule(service="apigatewayv2", rule=rule, page=page)


RULES: tuple[Rule, ...] = (
    *tagging.RULES,
    _function("a new function or version is Pending, then Active; an update is InProgress, then "
              "Successful, and the code before it answers meanwhile; what cannot be done meanwhile "
              "is a ResourceConflictException", f'{_LAMBDA}"Lambda function states"'),
    _function("the role must exist, trust lambda.amazonaws.com and have spread, else "
              "InvalidParameterValueException",
              f'{_LAMBDA}"Defining Lambda function permissions with an execution role"'),
    _function("a RevisionId that is not the present one is a PreconditionFailedException; every "
              "change makes a new one", "Lambda API reference, UpdateFunctionCode, UpdateAlias"),
    _function("PublishVersion with another CodeSha256 than $LATEST's is refused",
              "Lambda API reference, PublishVersion"),
    _function("unchanged code and configuration publish no new version; numbers are never reused",
              f'{_LAMBDA}"Manage Lambda function versions"'),
    _function("a version that an alias points at cannot be deleted, nor $LATEST",
              "Lambda API reference, DeleteFunction"),
    _function("an alias has at most two versions, both published, with one role and one "
              "dead-letter queue; weights are 0.0 to 1.0",
              f'{_LAMBDA}"Implement Lambda canary deployments using a weighted alias"'),
    _function("each invocation of a weighted alias is a draw of its own",
              f'{_LAMBDA}"Implement Lambda canary deployments using a weighted alias"'),
    _function("a name, alias or statement id in use is a ResourceConflictException",
              "Lambda API reference, CreateFunction, CreateAlias, AddPermission"),
    _function("resource policies and function URLs belong to one qualifier; a URL to an alias or "
              "$LATEST, never to a number",
              "Lambda API reference, AddPermission, CreateFunctionUrlConfig"),
    _function("unknown runtimes, memory outside 128 to 10,240 MB, time-outs outside 1 to 900 s, "
              "reserved variables and names of variables that are none are refused",
              f'Lambda API reference, CreateFunction; {_LAMBDA}"Defined runtime environment '
              'variables"'),
    _function("code must be a zip with something in it",
              f'{_LAMBDA}"Troubleshoot deployment issues in Lambda"'),
    _function("an invocation's payload is JSON: at most 6 MB, as an event 1 MB; an answer over "
              "6 MB is Function.ResponseSizeTooLarge", f'{_LAMBDA}"Lambda quotas"'),
    _function("an event that fails is tried twice again, after one and two minutes; one that is "
              "throttled after pauses that grow from a second to five minutes; for six hours",
              f'{_LAMBDA}"How Lambda handles errors and retries with asynchronous invocation"'),
    _function("a function, version or alias has 0 to 2 retries, 60 to 21,600 s of age and "
              "destinations of its own; a destination that is not there, or that the role may not "
              "send to, is an InvalidParameterValueException",
              "Lambda API reference, PutFunctionEventInvokeConfig"),
    _function("destinations get an invocation record: queues, topics, functions and event buses, "
              "as the role may when the event ends; what is not delivered counts as "
              "DestinationDeliveryFailures",
              f'{_LAMBDA}"Capturing records of Lambda asynchronous invocations"'),
    _function("a dead-letter queue, a standard one or a topic, that the role may send to, gets the "
              "event with RequestID, ErrorCode and ErrorMessage; else DeadLetterErrors",
              f'{_LAMBDA}"Adding a dead-letter queue"'),
    _function("without reserved concurrency events go to their end untried",
              f'{_LAMBDA}"Capturing records of Lambda asynchronous invocations"'),
    _function("AsyncEventsReceived, AsyncEventAge and AsyncEventsDropped count events",
              f'{_LAMBDA}"Types of metrics for Lambda functions"'),
    _function("one event at a time an execution environment; concurrent ones get several; above "
              "reserved concurrency TooManyRequestsException (429); 100 stay unreserved",
              f'{_LAMBDA}"Configuring reserved concurrency for a function"'),
    _function("a handler over its time-out is ended; a runtime that exits, or holds more memory "
              "than it may, is a Runtime.ExitError",
              f'{_LAMBDA}"Troubleshoot invocation issues in Lambda"'),
    _function("from Node.js 24 on, handlers with a callback fail",
              f'{_LAMBDA}"Define Lambda function handler in Node.js"'),
    _function("a function gets Lambda's variables and its own, nothing else",
              f'{_LAMBDA}"Defined runtime environment variables"'),
    _function("logs need logs:CreateLogStream and logs:PutLogEvents, and CreateLogGroup where the "
              "group is not there, in the function's role",
              f'{_LAMBDA}"Sending Lambda function logs to CloudWatch Logs"'),
    _function("Invocations, Errors, Throttles, Duration and ConcurrentExecutions in AWS/Lambda, by "
              "FunctionName, Resource and, for an alias, ExecutedVersion; a throttled call is no "
              "invocation",
              f'{_LAMBDA}"Types of metrics for Lambda functions", "Viewing metrics for Lambda '
              'functions"'),
    _function("a function URL needs lambda:InvokeFunctionUrl and lambda:InvokeFunction (with "
              "InvokedViaFunctionUrl) for its caller on its own qualifier, else 403; with AWS_IAM "
              "unsigned requests are 403", f'{_LAMBDA}"Control access to Lambda function URLs"'),
    _function("a function URL behind an origin access control takes a body only with its digest "
              "in x-amz-content-sha256",
              'CloudFront developer guide, "Restrict access to an AWS Lambda function URL origin"'),
    _function("a signed path that needs percent-encoding does not match CloudFront's signature",
              'IAM user guide, "Create a signed AWS API request"'),
    _function("a function URL answers 502 for a function's error, 413 above 6 MB, 429 throttled",
              f'{_LAMBDA}"Invoking Lambda function URLs"'),
    _function("a URL with RESPONSE_STREAM sends what a streaming handler writes while it runs: the "
              "prelude's status and headers, then each part; with BUFFERED such an answer is 502; "
              "over 200 MB, at the time-out or at an error it is cut",
              f'{_LAMBDA}"Response streaming for Lambda functions", "Writing response '
              'streaming-enabled Lambda functions"'),
    _function("a streaming handler returns a promise, ends its stream itself, and runs to its end "
              "when the caller has gone; an error in the middle comes in trailers",
              f'{_LAMBDA}"Response streaming for Lambda functions", "Building a custom runtime for '
              'AWS Lambda"'),
    _function("payload format 2.0: events and the inference of responses",
              f'{_LAMBDA}"Invoking Lambda function URLs"'),
    _api("payload format 2.0: events and the inference of responses",
         f'{_API}"Create AWS Lambda proxy integrations for HTTP APIs"'),
    _api("a deployment is a snapshot of routes and integrations; a stage serves one, or follows "
         "with autoDeploy", f'{_API}"Stages for HTTP APIs in API Gateway"'),
    _api("a deployment that a stage points at cannot be deleted; an API without routes cannot be "
         "deployed", "API Gateway V2 API reference, Deployments"),
    _api("stage names are letters, digits, - and _, or $default",
         f'{_API}"Stages for HTTP APIs in API Gateway"'),
    _api("the most specific route answers: fixed segments before variables before greedy ones, "
         "a method before ANY, $default last",
         f'{_API}"Create routes for HTTP APIs in API Gateway"'),
    _api("a route key in use is a ConflictException",
         "API Gateway V2 API reference, Routes"),
    _api("an integration calls through its role, which must exist, trust "
         "apigateway.amazonaws.com and allow lambda:InvokeFunction on the qualified function; "
         "without a role the function's own policy decides; refused is 500",
         f'{_API}"Troubleshooting issues with HTTP API Lambda integrations"'),
    _api("a function's error is 500, more than the integration's time-out (50 ms to 30 s) 503, "
         "no route or stage 404, a body over 10 MB 413",
         f'{_API}"Quotas for configuring and running an HTTP API"'),
    _api("parameter mapping of headers, query and path (overwrite:path), and of headers of what "
         "the integration answered, by status",
         f'{_API}"Transform API requests and responses for HTTP APIs in API Gateway"'),
    _api("with CORS configured preflights are answered without the function and its own CORS "
         "headers do not count; where an authorizer guards ANY, OPTIONS or $default a preflight is "
         "refused as any request without a token; credentials never with every origin",
         f'{_API}"Configure CORS for HTTP APIs in API Gateway"'),
    _api("a JWT authorizer needs a kid of the issuer's RSA keys and a signature by it, iss, aud or "
         "else client_id, exp, nbf, iat; then one of the route's scopes in scope or scp; else 401 "
         "with www-authenticate, or 403; keys by OpenID discovery over https, kept two hours",
         f'{_API}"Control access to HTTP APIs with JWT authorizers in API Gateway"'),
    _api("a Lambda authorizer with payload format 2.0 and simple responses: a missing identity "
         "source is 401 without a call, isAuthorized false 403, all else 500; by its role, else by "
         "the function's policy; the answer is kept for its TTL of at most an hour, for the same "
         "identity at the same stage; ResetAuthorizersCache forgets it",
         f'{_API}"Control access to HTTP APIs with AWS Lambda authorizers"'),
    _api("an authorizer's issuer must have a discovery document and keys within 1.5 s each and "
         "150,000 bytes", f'{_API}"Quotas for configuring and running an HTTP API"'),
    _api("routes take requests by a token bucket of rate and burst, for the route or the stage; "
         "more are 429; settings of routes that are not there are refused",
         f'{_API}"Throttle requests to your HTTP APIs for better throughput in API Gateway"'),
    _api("an access log's format is one line of at most 3 KB with $context.requestId, its "
         "destination a log group of the account that exists, and who turns it on may create log "
         "deliveries", f'{_API}"Configure logging for HTTP APIs in API Gateway"; '
         "API Gateway V2 API reference, AccessLogSettings"),
    _api("access log lines have the format's variables, - for what there is nothing to say of",
         f'{_API}"Customize HTTP API access logs"'),
)  # fmt: skip

NOT_EMULATED: tuple[str, ...] = (
    "Lambda: container images, extensions, file systems, event source mappings, "
    "S3 as a destination, provisioned concurrency, SnapStart, code signing, "
    "runtimes other than Node.js and Python, tracing by X-Ray",
    "Lambda: asynchronous events come once, in order, and are gone with the cloud's end; pauses "
    "of throttled ones have no jitter",
    "Lambda: the processor's architecture: what is packaged for arm64 runs if it is portable",
    "Lambda: the AWS SDK that Node.js runtimes include (Python's boto3 is there)",
    "Lambda: Node.js and Python run in the nearest version that this machine has, and the log's "
    "INIT_START says which; time-outs and durations are real seconds, whatever the cloud's speed",
    "Lambda: on macOS memory is not limited: what a process holds is read from /proc",
    "Lambda: the file system is this machine's; only memory that the process itself holds counts; "
    "freezing between invocations; more than 64 environments at once (an event then waits)",
    "Lambda: InvokeWithResponseStream; the 2 MB a second that a streamed answer has after 6 MB",
    "Lambda: identity policies for callers of function URLs: any key of the account may call",
    "HTTP APIs: authorizers by IAM, Lambda authorizers that answer with a policy or hear payload "
    "format 1.0, custom domains, VPC links, integrations other than AWS_PROXY with payload format "
    "2.0, access logs to Firehose, mutual TLS, definitions in YAML; WebSocket APIs",
    "the tagging API: tagging through it",
)
