// viewer-request: from a visitor's path to a release's key. Static: the same for every site and
// release. It never throws and answers no 5xx, whatever the store says. KVS: one read when steady.

import crypto from 'crypto';

const INDEX = 'index.html';
const PASS = /^([0-9a-f]{32})\.([0-9]{10})\.[0-9A-Za-z_-]{43}$/;
const PASS_SECONDS = 3600; // a link's life is its cookie's, too: runner/open.py
const LONGEST_URI = 8191; // with the query: "Restrictions on all edge functions", URI
// Browsers resolve such segments before they ask; whoever sends one is after another api_stage.
const CLIMBS = /([/\\]|%2f|%5c)(\.|%2e)+([/\\]|%2f|%5c|$)/i;
const LONGEST_KEY = 900; // S3 takes keys of 1,024 bytes, the release's prefix included
// S3 answers 400 when a request's headers pass 8 KB: both must fit, with what else is forwarded. No
// file's path is as long as half of this, so only a redirect's could be.
const LONGEST_HANDED_ON = { 'x-jam-query': 4096, 'x-jam-path': 2048, 'x-jam-host': 255 };

async function handler(event) {
  const request = event.request;
  const host = valueOf(request.headers, 'host');
  const token = valueOf(request.headers, 'x-jam-token');
  const now = await situation(request);
  if (now.refused) return now.refused;
  for (const name in request.headers) {
    if (name.startsWith('x-jam-') && name !== 'x-jam-release') delete request.headers[name];
  }
  if (request.uri === '/.jam/open') return open(request.querystring);
  const forced = (await openedBy(valueOf(request.cookies, 'jam-open'))) || (await forcedBy(token, request));
  if (request.uri === '/.jam/version.json') return card(now, forced);
  if (request.uri.startsWith('/.functions/')) return call(request, host, forced, now);
  return visit(request, host, { id: event.context.requestId, forced: forced, now: now });
}

// A kept release in a browser. The link's pass becomes a cookie, so that it is in no page's address,
// history or referrer; without a release the cookie goes. Either way what this browser has of
// another release goes as well.
async function open(query) {
  const release = valueOf(query, 'release');
  const pass = release + '.' + valueOf(query, 'token');
  if (release && !(await openedBy(pass))) return { statusCode: 403 };
  const attributes = '; Path=/; Secure; HttpOnly; SameSite=Lax';
  return {
    statusCode: 302,
    headers: {
      location: { value: '/' },
      'cache-control': { value: 'no-store' },
      'clear-site-data': { value: '"cache"' },
    },
    cookies: {
      'jam-open': release
        ? { value: pass, attributes: 'Max-Age=' + PASS_SECONDS + attributes }
        : { value: '', attributes: 'Max-Age=0' + attributes },
    },
  };
}

// A pass is `<release>.<until>.<signature>`, signed with the store's token; a forged or late one is
// none. Source: CloudFront developer guide, "Validate a simple token in the request".
async function openedBy(pass) {
  const parts = PASS.exec(pass);
  if (!parts || Number(parts[2]) * 1000 < Date.now()) return '';
  const known = await read('token');
  const sign = (text) => crypto.createHmac('sha256', String(known.t)).update(text).digest('base64url');
  // Signed once more, so that the time of comparing tells nothing.
  return known && sign(pass.slice(44)) === sign(sign(pass.slice(0, 43))) ? parts[1] : '';
}

// What is live, for people and monitors; an opened release's page finds its own.
function card(now, forced) {
  const told = { release: forced || now.live || null, candidate: now.candidate || null, rollout: now.rollout || null };
  return {
    statusCode: 200,
    headers: {
      'content-type': { value: 'application/json' },
      'cache-control': { value: 'no-store' },
    },
    body: JSON.stringify(told),
  };
}

// A function: the release's api_stage, live's where it has no readable one.
async function call(request, host, forced, now) {
  if (CLIMBS.test(request.uri)) return { statusCode: 400 };
  const id = forced || current(request) || now.live;
  const stage = stageOf(await routingOf(id, now)) || stageOf(now.routing);
  delete request.cookies['jam-open']; // a function has no use for it
  await vouch(request);
  if (now.api) cf.updateRequestOrigin({ domainName: now.api });
  const uri = stage ? '/' + stage + request.uri : request.uri;
  encodeKeys(request);
  if (uri.length + 1 + queryOf(request).length > LONGEST_URI) {
    return { statusCode: 414 };
  }
  request.uri = uri;
  if (host) request.headers['x-forwarded-host'] = { value: host };
  return request;
}

// A site's own authorizer finds the visitor's token where nobody but the router can put it: what asks
// the API directly has none. The distribution itself adds the key that other routes ask for.
async function vouch(request) {
  const token = valueOf(request.headers, 'authorization');
  const known = token ? await read('bearer') : null;
  if (!known) return;
  const name = 'x-jam-' + crypto.createHash('sha256').update(String(known.t)).digest('hex');
  request.headers[name] = { value: token };
}

function stageOf(routing) {
  const stage = routing ? routing.s : '';
  return typeof stage === 'string' && /^[0-9A-Za-z_-]+$/.test(stage) ? stage : '';
}

// A page or a file. What the origin must know besides the key travels in headers of ours, so that
// no visitor's query reaches S3 (it obeys ?response-content-type=) and none is in the cache key.
async function visit(request, host, asked) {
  const uri = request.uri;
  const now = asked.now;
  handOn(request, 'x-jam-path', uri);
  handOn(request, 'x-jam-query', queryOf(request));
  if (host) handOn(request, 'x-jam-host', host);
  request.querystring = {};
  const pin = pinOf(request);
  const forced = asked.forced;
  const inRollout = !forced && now.rollout && pin.rollout === now.rollout;
  if (inRollout) request.headers['x-jam-rollout'] = { value: pin.rollout + '-' + pin.session };
  if (uri === '/.jam/report') return report(request, asked.id, inRollout);
  const navigation = followsLive(request);
  const settled = navigation ? kept(pin, now) : current(request);
  const id = forced || settled || now.live;
  const routing = (await routingOf(id, now)) || {};
  request.uri = now.base + locate(uri, id || '~', routing, isNavigation(request));
  // Nothing readable: entry's alias knows its release. The draw keeps the answer out of the cache.
  if (!id) request.headers['x-jam-draw'] = { value: asked.id };
  else if (!forced && !settled && now.candidate && isDrawable(request)) draw(request, asked);
  return request;
}

// Smoke tests and doctors see a release that nobody is shown yet.
async function forcedBy(token, request) {
  const wanted = token ? releaseIn(valueOf(request.headers, 'x-jam-release')) : '';
  const known = wanted ? await read('token') : null;
  return known && known.t === token ? wanted : '';
}

function locate(uri, release, routing, navigation) {
  const key = keyOf(uri);
  const prefix = '/releases/' + release + '/';
  if (key.length > LONGEST_KEY) return prefix + '~long';
  if (listOf(routing.i).some((pattern) => matches(pattern, key))) return '/assets/' + key;
  const bare = encode(uri.slice(uri.lastIndexOf('/') + 1)).indexOf('.') < 0;
  const excepted = listOf(routing.x).indexOf(key.split('/')[0]) >= 0;
  return prefix + (routing.spa && navigation && bare && !excepted ? INDEX : key);
}

function listOf(value) {
  return Array.isArray(value) ? value : [];
}

// A pattern has exactly one `*`.
function matches(pattern, key) {
  const parts = String(pattern).split('*');
  return (
    parts.length === 2 &&
    key.length >= parts[0].length + parts[1].length &&
    key.startsWith(parts[0]) &&
    key.endsWith(parts[1])
  );
}

// The same as runner.paths.key_of_uri; a test holds them together.
function keyOf(uri) {
  const segments = (uri[0] === '/' ? uri.slice(1) : uri).split('/').map(encode);
  const name = segments.pop();
  const folders = segments.map((segment) => dotless(segment) || '~');
  if (name === '' || name === INDEX) folders.push(INDEX);
  else if (name.endsWith('.html') && name !== '.html') folders.push(dotless(name.slice(0, -5)), INDEX);
  else if (name.indexOf('.') < 0) folders.push(name, INDEX);
  else folders.push(dotless(name));
  return folders.join('/');
}

function dotless(segment) {
  if (segment === '.') return '~2E';
  return segment === '..' ? '~2E~2E' : segment;
}

function encode(segment) {
  if (/^[A-Za-z0-9._-]*$/.test(segment)) return segment;
  return segment.replace(/%[0-9A-Fa-f]{2}|[^A-Za-z0-9._\-\x80-\uffff]|[\x80-\uffff]+/g, encodePart);
}

function encodePart(part) {
  if (part.charCodeAt(0) > 127) return percentEncode(part).split('%').join('~');
  const code = part.length === 3 ? parseInt(part.slice(1), 16) : part.charCodeAt(0);
  const plain = String.fromCharCode(code);
  if (/[A-Za-z0-9._-]/.test(plain)) return plain;
  return '~' + (code < 16 ? '0' : '') + code.toString(16).toUpperCase();
}

function percentEncode(part) {
  try {
    return encodeURIComponent(part);
  } catch (error) {
    return '%EF%BF%BD'; // half a surrogate pair
  }
}

// Header values are printable ASCII. What is too long is left out rather than cut: half a query
// would be another one.
function handOn(request, name, text) {
  const value = text.replace(/[^\x21-\x7e]+/g, percentEncode);
  if (value && value.length <= LONGEST_HANDED_ON[name]) request.headers[name] = { value: value };
}

function queryOf(request) {
  const pairs = [];
  for (const key in request.querystring) {
    const field = request.querystring[key];
    const values = field.multiValue || [field];
    values.forEach((one) => pairs.push(one.value ? key + '=' + one.value : key));
  }
  return pairs.join('&');
}

// CloudFront refuses a returned query whose names hold a bare slash.
function encodeKeys(request) {
  const encoded = {};
  for (const key in request.querystring) {
    encoded[key.split('/').join('%2F')] = request.querystring[key];
  }
  request.querystring = encoded;
}
