// Reads the function's secrets from Parameter Store, then loads the function. Written by jam-deploy.
// Without the SDK: not every function brings one, and a start must not wait for it.
// Sources: Systems Manager API reference, GetParameters; IAM user guide, "Create a signed AWS API
// request"; Lambda developer guide, "Defined runtime environment variables".
import { createHash, createHmac } from "node:crypto";

const WANTED = "JAM_SECRETS";
const MOST = 10; // names a call
const TRIES = 5;
const { env } = process;

const sha = (text) => createHash("sha256").update(text).digest("hex");
const hmac = (key, text) => createHmac("sha256", key).update(text).digest();

function signed(url, body) {
  const region = env.AWS_REGION;
  const at = new Date().toISOString().replace(/[-:]|\.\d{3}/g, "");
  const scope = `${at.slice(0, 8)}/${region}/ssm/aws4_request`;
  const headers = {
    "content-type": "application/x-amz-json-1.1",
    host: url.host,
    "x-amz-date": at,
    ...(env.AWS_SESSION_TOKEN ? { "x-amz-security-token": env.AWS_SESSION_TOKEN } : {}),
    "x-amz-target": "AmazonSSM.GetParameters",
  };
  const names = Object.keys(headers).join(";");
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`).join("");
  const request = ["POST", "/", "", lines, names, sha(body)].join("\n");
  const text = ["AWS4-HMAC-SHA256", at, scope, sha(request)].join("\n");
  const key = scope.split("/").reduce(hmac, `AWS4${env.AWS_SECRET_ACCESS_KEY}`);
  const signature = hmac(key, text).toString("hex");
  const { host, ...sent } = headers;
  const credential = `Credential=${env.AWS_ACCESS_KEY_ID}/${scope}`;
  const authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...sent, authorization };
}

function address() {
  const suffix = env.AWS_REGION.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return new URL(env.AWS_ENDPOINT_URL_SSM ?? env.AWS_ENDPOINT_URL ?? `https://ssm.${env.AWS_REGION}.${suffix}`);
}

async function asked(names) {
  const url = address();
  const body = JSON.stringify({ Names: names, WithDecryption: true });
  for (let tried = 1; ; tried += 1) {
    try {
      const response = await fetch(url, { method: "POST", headers: signed(url, body), body });
      const answer = await response.json();
      if (response.ok) return answer;
      const code = String(answer.__type).split("#").pop();
      if (tried >= TRIES || (response.status < 500 && !/Throttl|TooMany/.test(code))) {
        throw refused(`Parameter Store refuses ${names.join(", ")}: ${code} ${answer.message ?? answer.Message ?? ""}`);
      }
    } catch (error) {
      if (error.name === "SecretsError" || tried >= TRIES) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** tried * (0.5 + Math.random())));
  }
}

const refused = (message) => Object.assign(new Error(message), { name: "SecretsError" });

const wanted = Object.entries(WANTED).filter(([variable]) => !(variable in env));
const names = [...new Set(wanted.map(([, name]) => name))];
const found = new Map();
for (let first = 0; first < names.length; first += MOST) {
  const answer = await asked(names.slice(first, first + MOST));
  for (const { Name, Value } of answer.Parameters) found.set(Name, Value);
}
const missing = wanted.filter(([, name]) => !found.has(name)).map(([variable, name]) => `${variable} (${name})`);
if (missing.length) throw refused(`There is no parameter for ${missing.join(", ")}`);
for (const [variable, name] of wanted) env[variable] = found.get(name);

const module = await import("./JAM_MODULE");
export const handler = module.handler ?? module.default?.handler;
