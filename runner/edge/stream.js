// viewer-request on the paths of functions that stream: as the router prepares a call, but for the
// release, because a function URL has one version for all. It needs no store and never throws.

function handler(event) {
  const request = event.request;
  const host = request.headers.host;
  for (const name in request.headers) {
    if (name.startsWith('x-jam-')) delete request.headers[name];
  }
  delete request.cookies['jam-open']; // the router's own, as there
  const encoded = {};
  for (const key in request.querystring) {
    // CloudFront refuses a returned query whose names hold a bare slash.
    encoded[key.split('/').join('%2F')] = request.querystring[key];
  }
  request.querystring = encoded;
  if (host) request.headers['x-forwarded-host'] = { value: host.value };
  return request;
}
