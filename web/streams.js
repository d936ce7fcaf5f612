// Browsers give all of their pages together six connections to a server over HTTP/1.1, and a stream holds one for as long as it
// is open. So the pages share a few places for streams, and leave the other connections to requests: pages without a place ask
// for news now and then. A page that did not come over a safe connection has no locks, and streams.

const streamPlaces = 4;

// Calls got with whether there was a place, and returns what gives it back.
function axiom25Place(got) {
  let give;
  const kept = new Promise((resolve) => (give = resolve));
  const take = async (n) => {
    const taken = await navigator.locks.request(`axiom25-stream-${n}`, { ifAvailable: true }, async (lock) => {
      if (!lock) return false;
      got(true);
      await kept;
      return true;
    });
    if (taken) return;
    if (n > 1) await take(n - 1);
    else got(false);
  };
  if (navigator.locks) take(streamPlaces).catch(() => got(true));
  else got(true);
  return give;
}
