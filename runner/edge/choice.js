// Which release a request is for. Shared by router and response function; runtime cloudfront-js-2.0.
import cf from 'cloudfront';

const RELEASE = /^[0-9a-f]{32}$/;
const PIN = /^[0-9a-f]{32}\.[0-9A-Za-z-]{1,64}$/;

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

// The release that the visitor is on: its page says so, else its cookie does.
function current(request) {
  const said = valueOf(request.headers, 'x-jam-release');
  if (RELEASE.test(said)) return said;
  const pin = valueOf(request.cookies, 'jam-pin');
  return PIN.test(pin) ? pin.slice(0, 32) : '';
}

// {id, routing, live}: the release's id, its ROUTING and live's; '' and null where not readable.
// One read when the release is live, two when it is not.
async function choose(request, live) {
  const found = await read('live');
  const liveId = found && typeof found.live === 'string' && RELEASE.test(found.live) ? found.live : '';
  const liveRouting = liveId ? found.r || {} : null;
  const id = (!live && current(request)) || liveId;
  if (id === liveId) return { id: id, routing: liveRouting, live: liveRouting };
  return { id: id, routing: await read('r/' + id), live: liveRouting };
}
