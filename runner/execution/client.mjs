// Lambda's runtime client for Node.js, written anew: AWS's own (npm aws-lambda-ric) compiles C++ when
// it is installed and so wants a C toolchain on every machine. Sources: Lambda developer guide,
// "Using the Lambda runtime API for custom runtimes", "Define Lambda function handler in Node.js",
// "Using the Lambda context object to retrieve Node.js function information".
import { existsSync, readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import path from "node:path";
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const {
  AWS_LAMBDA_RUNTIME_API, AWS_LAMBDA_LOG_FORMAT, AWS_EXECUTION_ENV = "", LAMBDA_TASK_ROOT, _HANDLER,
} = process.env;
const [hostname, port] = AWS_LAMBDA_RUNTIME_API.split(":");
// A connection that whoever started us gave along: the same requests at a third of TCP's price.
const { JAM_RUNTIME_FD } = process.env;
delete process.env.JAM_RUNTIME_FD;
const BASE = "/2018-06-01/runtime";
// As AWS's client marks a handler: packages ask for it.
const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const write = process.stdout.write.bind(process.stdout);

let current = null; // the invocation that runs now: { id, idle, fail }

// ---- the Runtime API ----

// One connection that is kept. Several requests may be under way: answers come in their order
// (RFC 9112, section 9.3.2). Not node:http: importing it costs more than all else of a cold start,
// and an exchange through it more than a handler.
class Line {
  #fd;
  #socket;
  #waiting = [];
  #parts = [];
  #size = 0;
  #wanted = 0;

  constructor(fd) {
    this.#fd = fd;
    // One buffer for all reads: by default each read makes one of its own and passes through a stream.
    const onread = { buffer: Buffer.allocUnsafeSlow(65_536), callback: (size, buffer) => this.#take(buffer.subarray(0, size)) };
    this.#socket = fd
      ? new net.Socket({ fd, onread })
      : net.connect({ host: hostname, port: Number(port), noDelay: true, onread });
    this.#socket.on("error", (error) => this.#end(error));
    this.#socket.on("close", () => this.#end(Object.assign(new Error("closed"), { code: "ECONNRESET" })));
  }

  // Whether it keeps the process alive: not while a handler runs, whose end is an empty event loop.
  hold(yes) {
    if (yes) this.#socket.ref();
    else this.#socket.unref();
  }

  // Sends requests in one piece, and resolves to the answer of the last one.
  call(...requests) {
    this.#send(requests.length === 1 ? requests[0] : requests.join(""));
    for (let left = requests.length; left > 1; left--) this.#waiting.push(null);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  // What the system takes at once need not become a request of the event loop's.
  #send(text) {
    let sent = 0;
    if (this.#fd && !this.#socket.writableLength) {
      try {
        sent = writeSync(this.#fd, text);
      } catch {} // it is full, or closed: the socket waits, or tells
    }
    if (sent < Buffer.byteLength(text)) this.#socket.write(sent ? Buffer.from(text).subarray(sent) : text);
  }

  // `part` is ours until we return; true asks for more.
  #take(part) {
    let held = part;
    if (this.#size) {
      this.#parts.push(Buffer.from(part));
      this.#size += part.length;
      if (this.#size < this.#wanted) return true;
      held = Buffer.concat(this.#parts);
    }
    let begin = 0;
    for (this.#wanted = 0; this.#waiting.length; ) {
      const end = held.indexOf("\r\n\r\n", begin, "latin1");
      if (end < 0) break;
      const head = held.latin1Slice(begin, end);
      const whole = end + 4 + Number(LENGTH.exec(head)?.[1] ?? 0);
      if (held.length < whole) {
        this.#wanted = whole - begin;
        break;
      }
      begin = whole;
      const asked = this.#waiting.shift();
      if (asked) asked.resolve({ status: Number(head.slice(9, 12)), head, body: held.utf8Slice(end + 4, whole) });
    }
    this.#size = held.length - begin;
    this.#parts = this.#size ? [Buffer.from(held.subarray(begin))] : [];
    return true;
  }

  #end(error) {
    for (const asked of this.#waiting.splice(0)) asked?.reject(error);
  }
}

const field = (name) => new RegExp(`\r\n${name}:[ \t]*([^\r]*?)[ \t]*(?:\r|$)`, "i");
const LENGTH = field("content-length");
const REQUEST_ID = field("lambda-runtime-aws-request-id");
const DEADLINE = field("lambda-runtime-deadline-ms");
const ARN = field("lambda-runtime-invoked-function-arn");
const TRACE = field("lambda-runtime-trace-id");
const CLIENT = field("lambda-runtime-client-context");
const IDENTITY = field("lambda-runtime-cognito-identity");

const NEXT = `GET ${BASE}/invocation/next HTTP/1.1\r\nhost: ${AWS_LAMBDA_RUNTIME_API}\r\n\r\n`;

function posted(target, body, more = "") {
  return `POST ${BASE}${target} HTTP/1.1\r\nhost: ${AWS_LAMBDA_RUNTIME_API}\r\ncontent-type: application/json\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`;
}

const line = new Line(Number(JAM_RUNTIME_FD ?? 0));

const fault = (name, message) => Object.assign(new Error(message), { name });

function described(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  const trace = String(error.stack ?? "").split("\n");
  return { errorType: error.name, errorMessage: error.message, trace };
}

function report(to, target, error) {
  const type = error instanceof Error ? error.name : typeof error;
  return to.call(posted(target, JSON.stringify(described(error)), `lambda-runtime-function-error-type: ${type}\r\n`));
}

// ---- logs: a message is one event, so its line breaks become \r ----

function log(level, args) {
  const timestamp = new Date().toISOString();
  const message = format(...args);
  if (AWS_LAMBDA_LOG_FORMAT === "JSON") {
    write(`${JSON.stringify({ timestamp, level, requestId: current?.id, message })}\n`);
  } else {
    const id = current?.id ?? "undefined";
    write(`${timestamp}\t${id}\t${level}\t${message}`.replaceAll("\n", "\r") + "\n");
  }
}

const LEVELS = { log: "INFO", info: "INFO", debug: "DEBUG", warn: "WARN", error: "ERROR", trace: "TRACE" };
for (const [name, level] of Object.entries(LEVELS)) console[name] = (...args) => log(level, args);

function logError(title, error) {
  const { errorType, errorMessage, trace } = described(error);
  const own = error instanceof Error ? Object.fromEntries(Object.entries(error).filter(([key]) => key !== "name")) : {};
  log("ERROR", [`${title} \t${JSON.stringify({ errorType, errorMessage, ...own, stack: trace })}`]);
}

// ---- the handler ----

async function load() {
  const base = path.basename(_HANDLER);
  const folder = _HANDLER.slice(0, _HANDLER.length - base.length);
  const dot = base.indexOf(".");
  if (dot < 1 || base.includes("..") || folder.includes("..")) throw fault("Runtime.MalformedHandlerName", `Bad handler ${_HANDLER}`);
  const stem = base.slice(0, dot);
  const file = [".js", ".mjs", ".cjs"]
    .map((ending) => path.resolve(LAMBDA_TASK_ROOT, folder, stem + ending))
    .find(existsSync);
  if (!file) throw fault("Runtime.ImportModuleError", `Error: Cannot find module '${stem}'`);
  const module = await imported(file);
  const found = base.slice(dot + 1).split(".").reduce((value, name) => value?.[name], module);
  if (found === undefined) throw fault("Runtime.HandlerNotFound", `${_HANDLER} is undefined or not exported`);
  if (typeof found !== "function") throw fault("Runtime.HandlerNotFound", `${_HANDLER} is not a function`);
  return accepted(found);
}

async function imported(file) {
  try {
    if (file.endsWith(".mjs") || (file.endsWith(".js") && inModulePackage(file))) return await import(pathToFileURL(file));
    return createRequire(file)(file);
  } catch (error) {
    if (error instanceof SyntaxError) throw Object.assign(error, { name: "Runtime.UserCodeSyntaxError", message: `SyntaxError: ${error.message}` });
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND")
      throw Object.assign(error, { name: "Runtime.ImportModuleError", message: `Error: ${error.message}` });
    throw error;
  }
}

function inModulePackage(file) {
  for (let folder = path.dirname(file); folder.startsWith(LAMBDA_TASK_ROOT); folder = path.dirname(folder)) {
    const manifest = path.join(folder, "package.json");
    if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, "utf8")).type === "module";
    if (folder === path.dirname(folder)) break;
  }
  return false;
}

function accepted(handler) {
  // Source: Lambda developer guide, "Callback-based function handlers": up to Node.js 22.
  const major = Number(/nodejs(\d+)/.exec(AWS_EXECUTION_ENV)?.[1] ?? 0);
  if (handler.length > 2 && !handler[STREAMING] && major >= 24)
    throw fault("Runtime.CallbackHandlerDeprecated",
      "Node.js 24 and later run no handlers with a callback: return a promise from (event, context) instead");
  return handler;
}

// ---- one invocation ----

// What is the same for every invocation, read once: `process.env` asks the system anew each time.
const KNOWN = {
  callbackWaitsForEmptyEventLoop: true,
  functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
  functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
  memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
  logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
  logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
};

function contextOf(head, settle) {
  const deadline = Number(DEADLINE.exec(head)?.[1]);
  const client = CLIENT.exec(head)?.[1];
  const identity = IDENTITY.exec(head)?.[1];
  return {
    ...KNOWN,
    clientContext: client ? JSON.parse(client) : undefined,
    identity: identity ? JSON.parse(identity) : undefined,
    invokedFunctionArn: ARN.exec(head)?.[1],
    awsRequestId: current.id,
    getRemainingTimeInMillis: () => deadline - Date.now(),
    done: (error, result) => settle(error, result, false),
    fail: (error) => settle(error ?? fault("Error", "handled"), undefined, false),
    succeed: (result) => settle(null, result, false),
  };
}

// Resolves to the result or rejects; whichever of promise, callback and an empty event loop is first.
function settled(handler, event, head) {
  return new Promise((resolve, reject) => {
    let waiting = null; // what a callback gave, until the event loop is empty
    const finish = (error, result) => (error === null || error === undefined ? resolve(result) : reject(error));
    const settle = (error, result, wait) => {
      if (waiting) return;
      waiting = () => finish(error, result);
      if (!wait) waiting();
    };
    const context = contextOf(head, settle);
    const callback = (error, result) => settle(error, result, context.callbackWaitsForEmptyEventLoop);
    let promised = false;
    // Nothing is left to run: a callback's answer goes out, a promise can never be kept.
    current.idle = () =>
      waiting ? waiting()
      : promised ? reject(fault("Runtime.NodeJsExit", "The handler's promise can never be settled: nothing is left to run"))
      : resolve(null);
    const returned = handler(event, context, callback);
    if (typeof returned?.then === "function") {
      promised = true;
      returned.then(resolve, reject);
    }
  });
}

process.on("beforeExit", () => current?.idle?.());

function crash(name, title) {
  return (reason) => {
    const error = Object.assign(fault(name, String(reason?.message ?? reason)), { reason: described(reason) });
    if (name.endsWith("Rejection")) error.message = String(reason);
    else error.name = reason?.name ?? "Error";
    if (reason?.stack) error.stack = reason.stack;
    logError(title, error);
    const target = current ? `/invocation/${current.id}/error` : "/init/error";
    // A fresh connection: the other one may be waiting for the next event.
    const told = current?.fail ? current.fail(error) : report(new Line(), target, error);
    told.finally(() => process.exit(name.endsWith("Rejection") ? 128 : 129));
  };
}
process.on("unhandledRejection", crash("Runtime.UnhandledPromiseRejection", "Unhandled Promise Rejection"));
process.on("uncaughtException", crash("Runtime.UncaughtException", "Uncaught Exception"));

async function run(handler) {
  const next = (...before) => {
    current = null;
    line.hold(true);
    return line.call(...before, NEXT);
  };
  for (let asked = next(); ; ) {
    const { status, head, body } = await asked;
    if (status !== 200) process.exit(0); // whoever started us is gone
    const id = REQUEST_ID.exec(head)?.[1];
    process.env._X_AMZN_TRACE_ID = TRACE.exec(head)?.[1] ?? "";
    current = { id };
    line.hold(false);
    try {
      const event = JSON.parse(body);
      if (handler[STREAMING]) {
        await streamed(handler, event, head, id);
        asked = next();
      } else {
        asked = next(posted(`/invocation/${id}/response`, written(await settled(handler, event, head))));
      }
    } catch (error) {
      logError("Invoke Error", error);
      line.hold(true);
      await (current.fail ? current.fail(error) : report(line, `/invocation/${id}/error`, error));
      asked = next();
    }
  }
}

function written(result) {
  try {
    return JSON.stringify(result === undefined ? null : result) ?? "null";
  } catch (error) {
    throw fault("Runtime.MarshalError", `Unable to stringify response body: ${error.message}`);
  }
}

// ---- response streaming: Lambda developer guide, "Writing response streaming-enabled functions";
// "Building a custom runtime for AWS Lambda", response streaming ----

const PRELUDE = "application/vnd.awslambda.http-integration-response";
const ERROR_TYPE = "Lambda-Runtime-Function-Error-Type";
const ERROR_BODY = "Lambda-Runtime-Function-Error-Body";

globalThis.awslambda = {
  streamifyResponse: (handler) => Object.assign((...args) => handler(...args), { [STREAMING]: "response" }),
  HttpResponseStream: {
    // The prelude goes out with the first write, eight zero bytes between it and the body.
    from(stream, prelude) {
      stream.setContentType(PRELUDE);
      stream.before = JSON.stringify(prelude) + "\0".repeat(8);
      return stream;
    },
  },
};

// What a streaming handler writes to: each write is a part of the answer, sent at once.
class Answer extends Writable {
  constructor(request) {
    super({ decodeStrings: false });
    this.request = request;
    this.begun = false;
    this.before = "";
  }
  setContentType(type) {
    if (this.begun) throw fault("InvalidStreamingOperation", "Cannot set content-type, too late.");
    this.request.setHeader("content-type", type);
  }
  write(chunk, ...rest) {
    const plain = typeof chunk === "string" || chunk instanceof Uint8Array;
    return super.write(plain ? chunk : JSON.stringify(chunk), ...rest);
  }
  _write(chunk, encoding, done) {
    const before = this.begun ? "" : this.before;
    this.begun = true;
    if (before) this.request.write(before);
    this.request.write(chunk, encoding === "buffer" ? undefined : encoding, done);
  }
  _final(done) {
    this.request.end(done);
  }
}

let agent = null;

async function streamed(handler, event, head, id) {
  // Only here: see `Line`. The stream's connection is its own, and kept for the next one.
  const http = createRequire(import.meta.url)("node:http");
  agent ??= new http.Agent({ keepAlive: true, maxSockets: 1 });
  const request = http.request({
    hostname, port, agent, method: "POST", path: `${BASE}/invocation/${id}/response`,
    headers: {
      "lambda-runtime-function-response-mode": "streaming",
      "transfer-encoding": "chunked",
      "content-type": "application/octet-stream",
      trailer: [ERROR_TYPE, ERROR_BODY],
    },
  });
  const done = new Promise((resolve, reject) => {
    request.on("response", (response) => response.resume().on("end", resolve));
    request.on("error", reject);
  });
  done.catch(() => {}); // whoever waits for it is told
  current.fail = (error) => {
    const body = Buffer.from(JSON.stringify(described(error))).toString("base64");
    const type = error instanceof Error ? error.name : typeof error;
    if (!request.writableEnded) {
      request.addTrailers({ [ERROR_TYPE]: type, [ERROR_BODY]: body });
      request.end();
    }
    return done;
  };
  const answer = new Answer(request);
  answer.on("error", () => {}); // of a pipeline that failed: the handler's promise tells
  const returned = handler(event, answer, contextOf(head, () => {}));
  if (typeof returned?.then !== "function") throw new Error("Streaming does not support non-async handlers.");
  await returned;
  // As on AWS: a handler that leaves its stream open is waited for until its time is over.
  await done;
}

process.chdir(LAMBDA_TASK_ROOT);
try {
  await run(await load());
} catch (error) {
  if (["ECONNREFUSED", "ECONNRESET", "EPIPE"].includes(error?.code)) process.exit(0); // our server is gone
  logError("Uncaught Exception", error);
  await report(line, "/init/error", error);
  process.exit(1);
}
