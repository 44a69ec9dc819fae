// A form is sent only where the server answers. Otherwise the browser would show a page of its own
// in its place, and what was entered would be gone.
"use strict";

const patience = 10000;
const nextTry = 5000;
async function answers() {
  const small = document.querySelector("link[rel=icon]").href;
  const signal = AbortSignal.timeout(patience);
  try {
    const response = await fetch(small, { method: "HEAD", cache: "no-store", redirect: "manual", signal });
    return response.status < 500; // a proxy may say that its server is away
  } catch {
    return false;
  }
}
// A page without a stream has to ask whether the server is back.
async function awaitServer() {
  while (lost !== null) {
    await new Promise((wake) => setTimeout(wake, nextTry));
    if (!document.hidden && (await answers())) hear();
  }
}
document.addEventListener("submit", async (event) => {
  const { target: form, submitter } = event;
  if (form.getAttribute("method") !== "post" || form.answered) return;
  event.preventDefault();
  if (form.asks) return; // it was pressed twice
  form.asks = true;
  const [address, isLost] = [submitter?.formAction, lost !== null];
  const isThere = await answers();
  form.asks = false;
  if (!isThere) {
    lose("the server does not answer, and nothing was sent");
    if (!isFollowed && !isLost) awaitServer();
    return;
  }
  // What a button asks for may have changed meanwhile, as parts of the page do.
  if (submitter && (submitter.form !== form || submitter.formAction !== address)) return;
  form.answered = true;
  form.requestSubmit(submitter);
  form.answered = false;
});
// The answer to a form stands in the history as its address alone: to go back there sends nothing anew.
if ("posted" in document.body.dataset) history.replaceState(null, "", location.href);
