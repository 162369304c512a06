// Makes one Lambda handler of whatever a function's module exports: `handler` as AWS documents it
// is handed on untouched; a default export is called with a web-standard Request and a context.
// Event and result: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP
// APIs in API Gateway", payload format version 2.0.

const TEXT = /^(text\/|application\/(json|javascript|xml|x-www-form-urlencoded|graphql)|image\/svg)|[+](json|xml)\b/i;
const BODILESS = new Set(["GET", "HEAD"]);

export function lambda(module) {
  const { handler, web } = exported(module);
  return handler ?? ((event, context) => (event?.requestContext?.http ? answer : run)(web, event, context));
}

export function exported(module) {
  // A module that was compiled to CommonJS arrives as the default export, with its own inside.
  const layers = [module, module.default, module.default?.default].filter(Boolean);
  const named = layers.find((layer) => typeof layer.handler === "function");
  if (named) return { handler: named.handler };
  const web = layers.find((layer) => typeof layer === "function");
  if (web) return { web };
  throw new TypeError("the function exports neither `handler` nor a default function");
}

async function answer(web, event, context) {
  const background = [];
  const request = requestOf(event);
  const known = contextOf(event, context, background);
  const result = await resultOf(await web(request, known), known);
  // Lambda freezes the process after the answer: what was promised has to be done before.
  await Promise.allSettled(background);
  return result;
}

// A schedule, or another function, sends an event that is no request: it is the body of one then.
// Nobody waits for the answer, so that there need not be one.
// Source: Netlify docs, "Scheduled Functions", which posts JSON to a function as well.
async function run(web, event, context) {
  const http = { method: "POST", sourceIp: "" };
  const posted = {
    rawPath: "/",
    headers: { host: "localhost", "content-type": "application/json" },
    requestContext: { stage: "", http },
    body: JSON.stringify(event ?? null),
  };
  const background = [];
  const known = contextOf(posted, context, background);
  const response = await web(requestOf(posted), { ...known, lambda: { event, context } });
  await Promise.allSettled(background);
  return response instanceof Response ? resultOf(response, known) : response;
}

export function requestOf(event) {
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

export function urlOf(event, headers) {
  const { stage, domainName } = event.requestContext;
  const scheme = headers.get("x-forwarded-proto") ?? "https";
  const host = headers.get("x-forwarded-host") ?? headers.get("host") ?? domainName;
  const prefix = `/${stage}/`;
  const path = event.rawPath.startsWith(prefix) ? event.rawPath.slice(prefix.length - 1) : event.rawPath;
  // API Gateway has decoded the path: what would end it in an address is written as an escape again.
  const escaped = path.replace(/[?#]|%(?![0-9A-Fa-f]{2})/g, encodeURIComponent);
  return `${scheme}://${host}${escaped}${event.rawQueryString ? `?${event.rawQueryString}` : ""}`;
}

const SET = Symbol("cookies to set");

// As Netlify's functions know it, where it is true here: what has no counterpart is not there.
// Source: Netlify docs, "Functions API reference", Context.
export function contextOf(event, context, background) {
  const headers = event.headers ?? {};
  return {
    params: event.pathParameters ?? {},
    ip: visitorOf(event, headers),
    geo: geoOf(headers),
    cookies: cookiesOf(event.cookies ?? []),
    requestId: context.awsRequestId,
    server: { region: process.env.AWS_REGION },
    waitUntil: (promise) => void background.push(promise),
    lambda: { event, context },
  };
}

// Behind the distribution the API sees the edge: the visitor is the one before it in the chain.
// Source: CloudFront developer guide, "Request and response behavior for custom origins", client
// IP addresses. Who calls the API itself can say what he likes: no key to anything.
function visitorOf(event, headers) {
  const chain = (headers["x-forwarded-for"] ?? "").split(",").map((one) => one.trim());
  const behind = headers["x-forwarded-host"] && chain.length > 1;
  return behind ? chain.at(-2) : event.requestContext.http.sourceIp;
}

// Source: CloudFront developer guide, "Add CloudFront request headers", viewer's location.
function geoOf(headers) {
  const told = (name) => headers[`cloudfront-viewer-${name}`];
  const place = (name) => told(name) && { code: told(name), name: told(`${name}-name`) };
  const number = (name) => (told(name) === undefined ? undefined : Number(told(name)));
  return {
    city: told("city"),
    country: place("country"),
    subdivision: place("country-region"),
    latitude: number("latitude"),
    longitude: number("longitude"),
    timezone: told("time-zone"),
    postalCode: told("postal-code"),
  };
}

function cookiesOf(sent) {
  const set = [];
  const known = new Map(sent.map((one) => one.split(/=(.*)/s).slice(0, 2)));
  return {
    [SET]: set,
    get: (name) => (known.has(name) ? decoded(known.get(name)) : undefined),
    set: (first, value) => {
      set.push(cookieText(typeof first === "string" ? { name: first, value } : first));
    },
    delete: (first) => {
      const cookie = typeof first === "string" ? { name: first } : first;
      set.push(cookieText({ ...cookie, value: "", expires: new Date(0) }));
    },
  };
}

function decoded(value) {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

// Source: RFC 6265, section 4.1.1, Set-Cookie.
function cookieText({ name, value, expires, maxAge, domain, path, secure, httpOnly, sameSite }) {
  const parts = [
    `${name}=${encodeURIComponent(value ?? "")}`,
    expires !== undefined && `Expires=${new Date(expires).toUTCString()}`,
    maxAge !== undefined && `Max-Age=${maxAge}`,
    domain && `Domain=${domain}`,
    path && `Path=${path}`,
    secure && "Secure",
    httpOnly && "HttpOnly",
    sameSite && `SameSite=${sameSite}`,
  ];
  return parts.filter(Boolean).join("; ");
}

// Headers and cookies of an answer, with the cookies that the function set by its context.
export function toldBy(response, known) {
  if (!(response instanceof Response)) {
    throw new TypeError("the function must return a Response");
  }
  const headers = Object.fromEntries(response.headers);
  delete headers["set-cookie"];
  return { headers, cookies: [...response.headers.getSetCookie(), ...known.cookies[SET]] };
}

async function resultOf(response, known) {
  const { headers, cookies } = toldBy(response, known);
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
