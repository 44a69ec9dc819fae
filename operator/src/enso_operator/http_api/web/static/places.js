// A browser keeps six connections to a host, and a stream holds one for as long as it is open, as does
// an output that is followed. All windows of a browser share these places for them; who finds none asks
// now and then instead.
"use strict";

const placesFor = (what, count) => [...Array(count).keys()].map((number) => `enso-${what}-${number}`);
const streamPlaces = placesFor("stream", 3);
const outputPlaces = placesFor("output", 2);
const pollDelay = 5000;
const streamDelay = 500;
let place = null; // a promise of what gives the place of this window back, or of null

// The lock of a window that is closed is free at once. Browsers have locks over HTTPS and at localhost.
async function takePlace(places) {
  if (!navigator.locks) return () => {};
  for (const name of places) {
    const giveBack = await new Promise((tell) => {
      const hold = (lock) => (lock ? new Promise((free) => tell(free)) : tell(null));
      navigator.locks.request(name, { ifAvailable: true }, hold);
    });
    if (giveBack) return giveBack;
  }
  return null;
}
async function leavePlace() {
  const held = place;
  place = null;
  (await held)?.();
}
document.addEventListener("htmx:sse:after:message", async ({ detail: { connection } }) => {
  const asked = (place ??= takePlace(streamPlaces));
  const isHeld = Boolean(await asked);
  connection.config.reconnectDelay = isHeld ? streamDelay : pollDelay;
  if (isHeld) return;
  if (place === asked) place = null; // the next time there may be one
  connection.reader?.cancel(); // the extension connects anew after that delay
});
document.addEventListener("htmx:sse:close", leavePlace);
document.addEventListener("visibilitychange", () => document.hidden && leavePlace());
