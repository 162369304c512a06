// Which release a request is for. Shared by router and response function; runtime cloudfront-js-2.0.
import cf from 'cloudfront';

const RELEASE = /^[0-9a-f]{32}$/;
const PIN = /^[0-9a-f]{32}\.[0-9A-Za-z-]{1,64}$/;
const ROLLOUT = /^[0-9a-z]{1,32}$/;

function valueOf(fields, name) {
  const field = fields[name];
  return field && typeof field.value === 'string' ? field.value : '';
}

// A missing key throws, and so does broken JSON. The store is eventually consistent and has gaps
// while it changes, so both are an answer: nothing known.
async function read(key) {
  try {
    const found = await cf.kvs().get(key, { format: 'json' });
    return found !== null && typeof found === 'object' ? found : null;
  } catch (error) {
    return null;
  }
}

function isNavigation(request) {
  const mode = valueOf(request.headers, 'sec-fetch-mode');
  if (mode) return mode === 'navigate';
  return valueOf(request.headers, 'accept').indexOf('text/html') >= 0;
}

// A navigation moves on to live; so does a worker, whose shell may need no navigation ever again.
function followsLive(request) {
  return isNavigation(request) || valueOf(request.headers, 'sec-fetch-dest') === 'serviceworker';
}

// {release, rollout, session}: in a rollout the pin is `<release>.<rollout>-<session>`.
function pinOf(request) {
  const pin = valueOf(request.cookies, 'jam-pin');
  if (!PIN.test(pin)) return { release: '', rollout: '', session: '' };
  const parts = pin.slice(33).split('-');
  return { release: pin.slice(0, 32), rollout: parts[0], session: parts.slice(1).join('-') };
}

function releaseIn(value) {
  return typeof value === 'string' && RELEASE.test(value) ? value : '';
}

// One read when the release is live or the candidate, two when it is neither.
async function routingOf(id, now) {
  if (id === now.live) return now.routing;
  if (id === now.candidate && now.candidateRouting) return now.candidateRouting;
  return read('r/' + now.within + id);
}

// The release that the visitor is on: its page says so, else its cookie does.
function current(request) {
  return releaseIn(valueOf(request.headers, 'x-jam-release')) || pinOf(request).release;
}

// While a rollout is open a navigation stays where this rollout's pin put it.
function kept(pin, now) {
  const ours = now.rollout && pin.rollout === now.rollout;
  return ours && (pin.release === now.live || pin.release === now.candidate) ? pin.release : '';
}
