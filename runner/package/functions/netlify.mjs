// What functions that were written for Netlify expect beside Lambda's own: its global, and the
// older members of its event, beside those of payload 2.0. Loaded before the function.
// Sources: Netlify docs, "Functions API reference", Netlify.env; "Lambda-compatible functions".
import { urlOf } from "./web.mjs";

const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const { env } = process;

globalThis.Netlify ??= {
  env: {
    get: (name) => env[name],
    set: (name, value) => void (env[name] = String(value)),
    has: (name) => name in env,
    delete: (name) => void delete env[name],
    toObject: () => ({ ...env }),
  },
};

export function netlify(handler) {
  if (handler[STREAMING]) return handler;
  const wrapped = (event, context, callback) => {
    const back = callback && ((error, result) => callback(error, sent(result)));
    const answer = handler(seen(event), context, back);
    return typeof answer?.then === "function" ? answer.then(sent) : answer;
  };
  // Lambda's runtime tells by it whether a handler calls back.
  return Object.defineProperty(wrapped, "length", { value: handler.length });
}

function seen(event) {
  if (!event?.requestContext?.http) return event;
  const headers = { ...event.headers };
  if (event.cookies?.length) headers.cookie ??= event.cookies.join("; ");
  const url = new URL(urlOf(event, new Headers(headers)));
  return {
    ...event,
    headers,
    body: event.body ?? null,
    httpMethod: event.requestContext.http.method,
    path: url.pathname,
    rawUrl: url.href,
    rawQuery: event.rawQueryString,
    queryStringParameters: event.queryStringParameters ?? {},
    multiValueQueryStringParameters: grouped(url.searchParams),
    multiValueHeaders: grouped(Object.entries(headers)),
  };
}

function grouped(pairs) {
  const found = {};
  for (const [name, value] of pairs) (found[name] ??= []).push(value);
  return found;
}

// Payload 2.0 has no `multiValueHeaders` in an answer, and cookies of their own.
function sent(result) {
  if (!result?.multiValueHeaders) return result;
  const { multiValueHeaders, headers = {}, cookies = [], ...rest } = result;
  const joined = { ...headers };
  const found = [...cookies];
  for (const [name, values] of Object.entries(multiValueHeaders)) {
    if (name.toLowerCase() === "set-cookie") found.push(...values.map(String));
    else joined[name] = values.join(", ");
  }
  return { ...rest, headers: joined, ...(found.length ? { cookies: found } : {}) };
}
