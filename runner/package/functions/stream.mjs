// Makes one streaming handler of whatever a function's module exports: one that streams as AWS
// documents it runs as it is, as is Netlify's `stream(handler)`, which makes such a one; a
// default export's Response, and a plain handler's result, is sent part by part as its body is read.
// Source: Lambda developer guide, "Writing response streaming-enabled Lambda functions".
import { Readable, Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { contextOf, exported, requestOf, toldBy } from "./web.mjs";

const STREAMS = Symbol.for("aws.lambda.runtime.handler.streaming"); // how AWS's client marks one
const MARK = Symbol.for("aws.lambda.runtime.handler.highWaterMark");

export function streaming(module) {
  const { handler, web } = exported(module);
  if (handler && !handler[STREAMS] && handler.length > 2) {
    throw new TypeError("a streaming function cannot have a callback: return a promise");
  }
  keepWhatIsTold();
  const run = handler?.[STREAMS]
    ? handler
    : (event, stream, context) =>
        handler ? plain(handler, event, stream, context) : answer(web, event, stream, context);
  return awslambda.streamifyResponse((event, stream, context) =>
    isOfAnApi(event) ? whole(run, event, stream, context) : run(event, stream, context),
    { highWaterMark: handler?.[MARK] },
  );
}

// A preview's function is reached through API Gateway, which takes one JSON text and no stream.
const isOfAnApi = (event) => Boolean(event?.routeKey && /\.execute-api\./.test(event.requestContext?.domainName));

async function whole(run, event, stream, context) {
  const kept = new Kept();
  await run(event, kept, context);
  if (!kept.writableEnded) kept.end();
  await finished(kept);
  stream.end(JSON.stringify(kept.result()));
}

// Keeps what a function streams, and the status and headers that `HttpResponseStream.from` gives it.
class Kept extends Writable {
  parts = [];
  told = { headers: { "content-type": "application/octet-stream" } };

  setContentType(type) {
    this.told = { headers: { "content-type": type } };
  }

  _write(part, encoding, done) {
    this.parts.push(Buffer.from(part, encoding));
    done();
  }

  result() {
    const body = Buffer.concat(this.parts).toString("base64");
    return { statusCode: 200, ...this.told, body, isBase64Encoded: true };
  }
}

function keepWhatIsTold() {
  const { HttpResponseStream } = awslambda;
  const from = HttpResponseStream.from.bind(HttpResponseStream);
  HttpResponseStream.from = (stream, told) =>
    stream instanceof Kept ? Object.assign(stream, { told }) : from(stream, told);
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
