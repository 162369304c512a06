// Makes one streaming handler of whatever a function's module exports: one that streams as AWS
// documents it is handed on untouched, as is Netlify's `stream(handler)`, which makes such a one; a
// default export's Response, and a plain handler's result, is sent part by part as its body is read.
// Source: Lambda developer guide, "Writing response streaming-enabled Lambda functions".
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { contextOf, exported, requestOf, toldBy } from "./web.mjs";

const STREAMS = Symbol.for("aws.lambda.runtime.handler.streaming"); // how AWS's client marks one

export function streaming(module) {
  const { handler, web } = exported(module);
  if (handler?.[STREAMS]) return handler;
  if (handler?.length > 2) throw new TypeError("a streaming function cannot have a callback: return a promise");
  const run = handler ? (event, stream, context) => plain(handler, event, stream, context) : undefined;
  return awslambda.streamifyResponse(
    run ?? ((event, stream, context) => answer(web, event, stream, context)),
  );
}

async function answer(web, event, stream, context) {
  const background = [];
  const known = contextOf(event, context, background);
  const response = await web(requestOf(event), known);
  await send(stream, { statusCode: response.status, ...toldBy(response, known) }, response.body);
  await Promise.allSettled(background);
}

async function plain(handler, event, stream, context) {
  const result = (await handler(event, context)) ?? {};
  if (result.statusCode === undefined) {
    const headers = { "content-type": "application/json" };
    await send(stream, { statusCode: 200, headers }, typeof result === "string" ? result : JSON.stringify(result));
    return;
  }
  const { statusCode, headers, cookies, body, isBase64Encoded } = result;
  const bytes = isBase64Encoded && typeof body === "string" ? Buffer.from(body, "base64") : body;
  await send(stream, { statusCode, headers, cookies }, bytes);
}

async function send(stream, prelude, body) {
  const out = awslambda.HttpResponseStream.from(stream, prelude);
  out.write(""); // status and headers go at once, also where no body follows
  if (typeof body === "string" || body instanceof Uint8Array) out.end(body);
  else if (body === undefined || body === null) out.end();
  else await pipeline(body instanceof ReadableStream ? Readable.fromWeb(body) : Readable.from(body), out);
}
