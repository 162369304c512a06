// Plays a script in a real browser: JSON on standard input, one JSON line per result on standard output.
// Input: {"executable": path or "", "screen": {"width", "height"}, "script": [{"goto": url} | {"see": {"selector", "text"}} |
//         {"click": selector} | {"fill": {"selector", "text"}} | {"text": selector} | {"screenshot": path} | {"newTab": name} | {"tab": name} |
//         {"newVisitor": name} | {"card": {"candidate": true or false}} | {"traffic": name} |
//         {"pause": seconds}]}
// `newVisitor` is a tab of somebody else's, with no cookies; `card` waits until a rollout is open, or none is; `traffic` is what
// a tab was given since its last document, that included.
import { text } from "node:stream/consumers";

// @sparticuz/chromium brings the shared libraries that a bare machine lacks, but unpacks them only where it believes
// itself on Lambda. They go last on the search path: a machine's own libraries win.
process.env.AWS_LAMBDA_JS_RUNTIME ??= "nodejs22.x";
const { executable, script, screen } = JSON.parse(await text(process.stdin));
const { chromium } = await import("playwright-core");
const { default: packed } = await import("@sparticuz/chromium");

const quiet = [
  "--no-sandbox", // a container's root has no user namespace to sandbox in; only our own pages are opened
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const browser = await chromium.launch({
  executablePath: executable || (await packed.executablePath()),
  headless: true,
  args: executable ? quiet : [...packed.args.filter((arg) => !arg.includes("single-process")), ...quiet],
});
const context = await browser.newContext({ viewport: screen ?? { width: 1000, height: 800 } });
context.setDefaultTimeout(20_000);
const tabs = { first: await context.newPage() };
let page = tabs.first;
const faults = [];
const traffic = new Map();
const hear = (tab, answer) => {
  const { status, url, headers } = { status: answer.status(), url: answer.url(), headers: answer.headers() };
  const document = answer.request().isNavigationRequest();
  const told = { url, status, document, release: headers["x-jam-release"] ?? "", build: headers["x-jam-rehearsal"] ?? "" };
  traffic.set(tab, document ? [told] : [...(traffic.get(tab) ?? []), told]);
};
const CARD_PATIENCE = 100_000; // ms for a rollout to open or to end, in the cloud's hurried time
const listen = (tab) => {
  tab.on("response", (answer) => hear(tab, answer));
  tab.on("pageerror", (error) => faults.push(String(error)));
  tab.on("console", (message) => message.type() === "error" && faults.push(message.text()));
};
listen(page);

const play = {
  goto: async (url) => ({ status: (await page.goto(url, { waitUntil: "load" }))?.status() }),
  see: async ({ selector, text }) => {
    await page.locator(selector).filter({ hasText: text }).first().waitFor();
    return { seen: text };
  },
  click: async (selector) => page.locator(selector).first().click(),
  fill: async ({ selector, text }) => page.locator(selector).first().fill(text),
  text: async (selector) => ({ text: await page.locator(selector).first().innerText() }),
  screenshot: async (path) => {
    await page.screenshot({ path, fullPage: true });
    return { screenshot: path };
  },
  newTab: async (name) => {
    tabs[name] = page = await context.newPage();
    listen(page);
  },
  tab: async (name) => {
    page = tabs[name];
  },
  newVisitor: async (name) => {
    const somebody = await browser.newContext({ viewport: screen ?? { width: 1000, height: 800 } });
    somebody.setDefaultTimeout(20_000);
    tabs[name] = page = await somebody.newPage();
    listen(page);
  },
  card: async ({ candidate }) => {
    const tried = () => fetch("/.jam/version.json").then((answer) => answer.json()).then((card) => Boolean(card.candidate));
    const late = Date.now() + CARD_PATIENCE;
    while ((await page.evaluate(tried)) !== candidate) {
      if (Date.now() > late) throw new Error(`no rollout ${candidate ? "opened" : "ended"} in time`);
      await page.waitForTimeout(250);
    }
    return { candidate };
  },
  pause: async (seconds) => page.waitForTimeout(seconds * 1000),
  traffic: async (name) => ({ tab: name, traffic: traffic.get(tabs[name]) ?? [] }),
};

let failed = false;
for (const action of script) {
  const [[name, argument]] = Object.entries(action);
  try {
    const result = (await play[name](argument)) ?? {};
    console.log(JSON.stringify({ action: name, ok: true, ...result }));
  } catch (error) {
    console.log(JSON.stringify({ action: name, ok: false, argument, error: String(error.message ?? error) }));
    failed = true;
    break;
  }
}
console.log(JSON.stringify({ action: "end", ok: !failed, faults, version: browser.version() }));
await browser.close();
process.exit(failed ? 1 : 0);
