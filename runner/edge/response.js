// viewer-response: names the release, expands its header rules, sets the pin. CloudFront skips it
// when the origin answered 400 or more; entry puts headers on such answers itself. It never throws.

const PIN_ATTRIBUTES = 'Path=/; Max-Age=604800; Secure; HttpOnly; SameSite=Lax';
const META = 'x-amz-meta-jam-';
const MOST_PARTS = 16;
const HIDDEN = ['server', 'x-jam-kind', 'x-jam-rollout'];

async function handler(event) {
  const response = event.response;
  const headers = response.headers;
  if (event.request.uri.startsWith('/.functions/')) {
    await mark(event); // a function's answer is its own
    return response;
  }
  const release = valueOf(headers, META + 'release') || valueOf(headers, 'x-jam-release');
  const kind = valueOf(headers, META + 'kind') || valueOf(headers, 'x-jam-kind');
  const rollout = valueOf(headers, 'x-jam-rollout');
  const reference = valueOf(headers, META + 'headers') || (await sharedBy(kind, event.request));
  for (const name in headers) {
    if (name.startsWith('x-amz-') || HIDDEN.indexOf(name) >= 0) delete headers[name];
  }
  response.cookies = response.cookies || {};
  if (reference) await expand(reference, response);
  if (kind === 'document') frame(headers);
  await mark(event);
  // An opened release's files are nobody's once it is left again.
  if (valueOf(event.request.cookies, 'jam-open')) headers['cache-control'] = { value: 'private, no-store' };
  if (!RELEASE.test(release)) return response;
  headers['x-jam-release'] = { value: release };
  if (kind === 'document') pin(release, rollout, event);
  return response;
}

// What X-Frame-Options says by default, in today's words; a site that says anything of its own is
// left alone. The distribution's policy has added its headers by now: see runner/aws/delivery.py.
function frame(headers) {
  if (headers['content-security-policy'] || valueOf(headers, 'x-frame-options') !== 'SAMEORIGIN') return;
  headers['content-security-policy'] = { value: "frame-ancestors 'self'" };
}

// Immutable objects belong to no release: the visitor's release says what headers they get.
async function sharedBy(kind, request) {
  if (kind !== 'immutable') return '';
  const now = await situation(request);
  const pinned = followsLive(request) ? kept(pinOf(request), now) : current(request);
  const routing = (await routingOf(pinned || now.live, now)) || now.routing || {};
  return typeof routing.h === 'string' ? routing.h : '';
}

async function expand(reference, response) {
  const pairs = await setOf(reference);
  if (!pairs) {
    // The set has not arrived at this edge yet: no browser may keep a page without its headers.
    response.headers['cache-control'] = { value: 'no-store' };
    return;
  }
  pairs.forEach((pair) => apply(String(pair[0]).toLowerCase(), String(pair[1]), response));
}

async function setOf(reference) {
  const parts = /^[0-9a-f]{16}\.[0-9]{1,2}$/.test(reference) ? Number(reference.slice(17)) : 0;
  if (!parts || parts > MOST_PARTS) return null;
  try {
    let text = '';
    for (let part = 0; part < parts; part++) {
      text += await cf.kvs().get('h/' + reference.slice(0, 17) + part);
    }
    const pairs = JSON.parse(text);
    return Array.isArray(pairs) && pairs.every(Array.isArray) ? pairs : null;
  } catch (error) {
    return null;
  }
}

function apply(name, value, response) {
  if (name !== 'set-cookie') {
    response.headers[name] = { value: value };
    return;
  }
  const end = value.indexOf(';') < 0 ? value.length : value.indexOf(';');
  const middle = value.indexOf('=');
  if (middle < 1 || middle > end) return;
  const cookie = { value: value.slice(middle + 1, end).trim() };
  if (end < value.length) cookie.attributes = value.slice(end + 1).trim();
  response.cookies[value.slice(0, middle).trim()] = cookie;
}

// Only a navigation moves the pin: an older tab that fetches its own release's HTML must not take
// the browser's other tabs back with it. `rollout` is entry's, which drew the visitor: document and
// pin come from one decision. Otherwise a pin on the same release stays, with its rollout.
function pin(release, rollout, event) {
  const request = event.request;
  if (!isNavigation(request)) return;
  if (!rollout && pinOf(request).release === release) return;
  const value = release + '.' + (rollout || '0');
  if (!PIN.test(value)) return;
  event.response.cookies['jam-pin'] = { value: value, attributes: PIN_ATTRIBUTES };
}
