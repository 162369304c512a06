// Production: one value of the store says what is live.

const HOSTS = []; // the site's own names, if any; the others lead to the first

// {live, routing, candidate, candidateRouting, rollout, token}; '' and null where not readable. A
// candidate that was taken back is none, and without a live release there is no rollout.
async function situation(request) {
  if (HOSTS.indexOf(valueOf(request.headers, 'host').toLowerCase()) > 0) {
    return { refused: movedTo(HOSTS[0], request) };
  }
  const found = (await read('live')) || {};
  const live = releaseIn(found.live);
  const rollout = typeof found.rollout === 'string' && ROLLOUT.test(found.rollout) ? found.rollout : '';
  const dead = Array.isArray(found.dead) ? found.dead : [];
  const named = live && rollout ? releaseIn(found.candidate) : '';
  const candidate = dead.indexOf(named) < 0 ? named : '';
  return {
    live: live,
    routing: live ? found.r || {} : null,
    candidate: candidate,
    candidateRouting: found.c || null,
    rollout: candidate ? rollout : '',
    within: '',
    base: '',
  };
}
