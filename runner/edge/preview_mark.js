// What every answer of a preview bears.

const COOKIE = 'Path=/; Secure; HttpOnly; SameSite=Lax';

// Never found by a search engine. An older commit's host says whose functions it has. A host that
// another preview had before is swept once a browser: its worker scripts, its storage, its cookies.
async function mark(event) {
  const request = event.request;
  const response = event.response;
  response.headers['x-robots-tag'] = { value: 'noindex' };
  const isOfCommit = COMMIT.test(valueOf(request.headers, 'host').toLowerCase());
  if (!isOfCommit && !isNavigation(request)) return;
  const now = await situation(request);
  if (now.refused) return; // the store has changed since: whoever may not look gets no cookie
  if (now.newest && now.newest !== now.live) response.headers['x-jam-newest'] = { value: now.newest };
  if (!isNavigation(request)) return;
  response.cookies = response.cookies || {};
  if (now.lease && valueOf(request.cookies, 'jam-lease') !== now.lease) {
    response.headers['clear-site-data'] = { value: '"cache", "storage"' };
    for (const name in request.cookies) {
      if (!response.cookies[name]) response.cookies[name] = { value: '', attributes: 'Path=/; Max-Age=0' };
    }
    response.cookies['jam-lease'] = { value: now.lease, attributes: COOKIE + '; Max-Age=31536000' };
  }
  if (now.door) response.cookies['jam-door'] = { value: now.door, attributes: COOKIE };
}
