// A browser keeps six connections to a host, and a stream holds one for as long as it is open, as does
// an output that is followed. So one window of a browser has the place for them: the one that is looked
// at, or was last. Others that are seen ask every 5 seconds, and those that are hidden nothing.
"use strict";

const pollDelay = 5000;
const streamDelay = 500;
let asked = 0; // how often this window asked for the place
let known = null; // a promise: it is known whether this window has got it
let giveBack = null; // of the window that has it
let stream = null; // what the extension has connected, until that is over for good
let isOver = !isFollowed;
const hasPlace = () => giveBack !== null;

function takePlace(free) {
  const isNew = !hasPlace();
  giveBack = free;
  if (isNew) turn(streamDelay, stream?.delayCanceller);
}
function losePlace() {
  if (!hasPlace()) return;
  giveBack = null;
  turn(pollDelay, () => stream?.reader?.cancel());
}
function turn(delay, connectAnew) {
  if (stream) stream.config.reconnectDelay = delay;
  connectAnew?.();
  document.dispatchEvent(new Event("enso:place"));
}
// The lock is free at once when the window that holds it is closed, or crashes. Browsers have locks
// over HTTPS and at localhost; without them a window has the place for as long as it has the focus.
function ask(options) {
  if (isOver || document.hidden) return;
  const number = ++asked;
  known = new Promise((tell) => {
    const hold = (lock) => {
      tell();
      return lock && number === asked ? new Promise(takePlace) : null;
    };
    if (!navigator.locks) return hold(options.steal);
    const over = () => {
      tell();
      if (number === asked) losePlace(); // or another window has taken it
    };
    navigator.locks.request("enso-place", options, hold).then(over, over);
  });
}
function leavePlace() {
  asked++;
  giveBack?.();
  losePlace();
}
const askAsSeen = () => ask(document.hasFocus() ? { steal: true } : { ifAvailable: true });
addEventListener("focus", () => ask({ steal: true }));
if (!navigator.locks) addEventListener("blur", leavePlace);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return leavePlace();
  if (stream) stream.config.reconnectDelay = streamDelay; // nothing was asked meanwhile
  askAsSeen();
});
document.addEventListener("htmx:sse:after:connection", ({ detail }) => (stream = detail.connection));
document.addEventListener("htmx:sse:after:message", async ({ detail: { connection, message } }) => {
  await known;
  const isQuick = hasPlace() && message.event !== "away";
  connection.config.reconnectDelay = isQuick ? streamDelay : pollDelay;
  if (hasPlace()) return;
  connection.reader?.cancel(); // the extension connects anew after that delay
  ask({ ifAvailable: true });
});
document.addEventListener("htmx:sse:close", () => {
  isOver = true;
  stream = null;
  leavePlace();
});
askAsSeen();
