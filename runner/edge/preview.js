// Previews: the host says which one, and a value of the store what it shows and to whom.
import crypto from 'crypto';

const PREVIEW = /^pr-[1-9][0-9]{0,8}$/;
const COMMIT = /^[0-9a-f]{8}--/;

// As production's, and `refused`: the answer to whoever may not look. There is never a rollout. The
// host of one commit has a release of its own alone: who may look, which API answers and what is
// `newest` are the preview's, as they are now.
async function situation(request) {
  const host = valueOf(request.headers, 'host').toLowerCase();
  const own = (await read('e/' + host)) || {};
  const found = COMMIT.test(host) ? (await read('e/' + host.slice(10))) || {} : own;
  const name = PREVIEW.test(own.e) && own.e === found.e ? own.e : '';
  const live = name ? releaseIn(own.live) : '';
  return {
    live: live,
    newest: releaseIn(found.live),
    routing: live ? own.r || {} : null,
    candidate: '',
    candidateRouting: null,
    rollout: '',
    within: name + '/',
    base: '/' + name,
    api: typeof found.a === 'string' ? found.a : '',
    lease: found.n > 1 ? String(found.n) : '',
    door: found.p ? doorOf(found) : '',
    refused: live ? lockedOut(found, request) : refusal(404, 'Not Found', 'No preview is shown here.'),
  };
}

// A password once, then a cookie, so that the site's own Authorization reaches its functions. Tests
// send a header instead.
function lockedOut(found, request) {
  if (!found.p) return null;
  if (isKnown(found, request)) {
    delete request.headers.authorization; // browsers send it for ever, functions are never to see it
    return null;
  }
  if (valueOf(request.cookies, 'jam-door') === doorOf(found)) return null;
  if (sha256(valueOf(request.headers, 'x-jam-bypass')) === found.b) return null;
  const refused = refusal(401, 'Unauthorized', 'This preview asks for a password.');
  refused.headers['www-authenticate'] = { value: 'Basic realm="preview", charset="UTF-8"' };
  return refused;
}

function isKnown(found, request) {
  return sha256(valueOf(request.headers, 'authorization')) === found.p;
}

function doorOf(found) {
  return sha256(found.e + found.p + found.b);
}

function sha256(text) {
  return crypto.createHash('sha256').update(text).digest('hex');
}

function refusal(status, description, text) {
  return {
    statusCode: status,
    statusDescription: description,
    headers: {
      'content-type': { value: 'text/plain; charset=utf-8' },
      'cache-control': { value: 'no-store' },
      'x-robots-tag': { value: 'noindex' },
    },
    body: text,
  };
}
