// The router's part in a rollout: who is drawn, whose errors count. Previews have none.

const ENTRY_FIRST = {
  originIds: [{ originId: 'entry' }, { originId: 'files' }],
  failoverCriteria: { statusCodes: [403, 500, 502, 503, 504] },
};

// The alias's weights decide who answers; where entry fails the bucket gives the live release.
function draw(request, asked) {
  const session = asked.id.replace(/[^0-9A-Za-z]/g, '').slice(0, 24);
  request.headers['x-jam-draw'] = { value: asked.id };
  request.headers['x-jam-rollout'] = { value: asked.now.rollout + '-' + session };
  cf.createRequestOriginGroup(ENTRY_FIRST);
}

// Bots and scripts that do not say `navigate` get live, uncounted.
function isDrawable(request) {
  const reads = request.method === 'GET' || request.method === 'HEAD';
  const navigates = valueOf(request.headers, 'sec-fetch-mode') === 'navigate';
  return reads && navigates && request.uri.startsWith('/releases/');
}

// A browser's report of an error: only a rollout's visitors are counted, by entry.
function report(request, id, inRollout) {
  if (!inRollout) return { statusCode: 204 };
  request.headers['x-jam-draw'] = { value: id };
  request.uri = '/releases/~/.jam/report';
  cf.selectRequestOriginById('entry');
  return request;
}

// The site's own name in place of another one; a call keeps its method and its body.
function movedTo(host, request) {
  const query = queryOf(request);
  const uri = request.uri + (query && '?' + query);
  return {
    statusCode: request.method === 'GET' || request.method === 'HEAD' ? 301 : 308,
    headers: {
      location: { value: 'https://' + host + uri.replace(/[^\x21-\x7e]+/g, percentEncode) },
      'cache-control': { value: 'max-age=3600' },
      'strict-transport-security': { value: 'max-age=31536000' }, // no policy adds it to such an answer
    },
  };
}
