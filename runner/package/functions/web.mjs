// Makes one Lambda handler of whatever a function's module exports: `handler` as AWS documents it
// is handed on untouched; a default export is called with a web-standard Request and a context.
// Event and result: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP
// APIs in API Gateway", payload format version 2.0.

const TEXT = /^(text\/|application\/(json|javascript|xml|x-www-form-urlencoded|graphql)|image\/svg)|[+](json|xml)\b/i;
const BODILESS = new Set(["GET", "HEAD"]);

export function lambda(module) {
  // A module that was compiled to CommonJS arrives as the default export, with its own inside.
  const layers = [module, module.default, module.default?.default].filter(Boolean);
  const named = layers.find((layer) => typeof layer.handler === "function");
  if (named) return named.handler;
  const web = layers.find((layer) => typeof layer === "function");
  if (web) return (event, context) => answer(web, event, context);
  throw new TypeError("the function exports neither `handler` nor a default function");
}

async function answer(web, event, context) {
  const background = [];
  const request = requestOf(event);
  const response = await web(request, contextOf(event, context, background));
  const result = await resultOf(response);
  // Lambda freezes the process after the answer: what was promised has to be done before.
  await Promise.allSettled(background);
  return result;
}

function requestOf(event) {
  const { method } = event.requestContext.http;
  const headers = new Headers();
  for (const [name, value] of Object.entries(event.headers ?? {})) headers.set(name, value);
  if (event.cookies?.length) headers.set("cookie", event.cookies.join("; "));
  const body =
    event.body === undefined || BODILESS.has(method)
      ? undefined
      : Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8");
  return new Request(urlOf(event, headers), { method, headers, body });
}

function urlOf(event, headers) {
  const { stage, domainName } = event.requestContext;
  const scheme = headers.get("x-forwarded-proto") ?? "https";
  const host = headers.get("x-forwarded-host") ?? headers.get("host") ?? domainName;
  const prefix = `/${stage}/`;
  const path = event.rawPath.startsWith(prefix) ? event.rawPath.slice(prefix.length - 1) : event.rawPath;
  return `${scheme}://${host}${path}${event.rawQueryString ? `?${event.rawQueryString}` : ""}`;
}

function contextOf(event, context, background) {
  return {
    params: event.pathParameters ?? {},
    ip: event.requestContext.http.sourceIp,
    requestId: context.awsRequestId,
    waitUntil: (promise) => void background.push(promise),
    lambda: { event, context },
  };
}

async function resultOf(response) {
  if (!(response instanceof Response)) {
    throw new TypeError("the function must return a Response");
  }
  const headers = Object.fromEntries(response.headers);
  const cookies = response.headers.getSetCookie();
  delete headers["set-cookie"];
  const body = Buffer.from(await response.arrayBuffer());
  const text = TEXT.test(headers["content-type"] ?? "") && !headers["content-encoding"];
  return {
    statusCode: response.status,
    headers,
    ...(cookies.length ? { cookies } : {}),
    body: body.toString(text ? "utf8" : "base64"),
    isBase64Encoded: !text,
  };
}
