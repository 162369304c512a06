// In a visitor's browser: says once that this page is in trouble, by a GET that leaves nothing of the
// visitor. The edge answers 204 and forgets it unless the visitor is of an open rollout.
(() => {
  const own = location.origin + '/';
  let told;
  // Once a page, and a tab's pages once a minute: a session counts once, whatever it reports.
  const tell = (kind) => {
    if (told) return;
    told = 1;
    try {
      if (Date.now() - sessionStorage.jamReport < 6e4) return;
      sessionStorage.jamReport = Date.now();
    } catch {}
    fetch('/.jam/report?k=' + kind, { keepalive: true }).catch(() => {});
  };
  // Other sites' scripts say no more than "Script error.", extensions name themselves.
  const ours = (text) => ('' + text).includes(own);
  addEventListener('error', ({ target: at, filename, message }) => {
    if (at === window) ours(filename) && !/ResizeObserver/.test(message) && tell('error');
    else if (ours(at.src || at.href) && /^(SCRIPT|stylesheet|modulepreload)$/.test(at.rel || at.tagName)) tell('file');
  }, true);
  addEventListener('unhandledrejection', ({ reason: why }) => {
    if (why && ours(why.stack + why.message)) tell('promise');
  });
  addEventListener('vite:preloadError', () => tell('chunk'));
  // Nothing of the page's is wrapped: where browsers do not say the status, API Gateway counts.
  try {
    new PerformanceObserver((list) => list.getEntries().forEach((each) => {
      if (each.responseStatus > 499 && each.name.startsWith(own + '.functions/')) tell('function');
    })).observe({ type: 'resource', buffered: true });
  } catch {}
})();
