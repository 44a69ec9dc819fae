// What the pages do beside htmx. Everything can be read without it.
"use strict";

// A choice is a search: nobody has to press the button, too.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});

// A link to a script opens it.
function openTarget() {
  const details = document.getElementById(location.hash.slice(1))?.querySelector("details");
  if (details) details.open = true;
}
addEventListener("hashchange", openTarget);
openTarget();

// The output of an attempt is read while its script is open, for as long as the attempt runs. The
// server writes the HTML, so that the same is shown here and on the page of the attempt.
async function read(panel) {
  const { signal } = (panel.reading = new AbortController());
  panel.goesOn = true;
  await known;
  if (document.hidden || signal.aborted) return;
  try {
    if (hasPlace()) await follow(panel, signal);
    else if (await glance(panel, signal)) return readLater(panel);
    panel.goesOn = false;
  } catch (error) {
    if (!signal.aborted) panel.append(`\n${error.message}`);
  }
}
function readLater(panel) {
  const { signal } = (panel.reading = new AbortController());
  setTimeout(() => signal.aborted || read(panel), pollDelay);
}
async function answerOf(panel, address, signal) {
  const response = await fetch(address, { headers: { Accept: "application/json" }, signal });
  if (response.ok) return response;
  panel.textContent = (await response.json()).error;
  return null;
}
// Who has no place for what goes on asks for what there is by now; returns whether there may be more.
async function glance(panel, signal) {
  const address = new URL(panel.dataset.lines, location);
  address.searchParams.set("seen", panel.seen ?? "");
  const told = await (await answerOf(panel, address, signal))?.json();
  if (told?.panel !== undefined) show(panel, [told]);
  panel.seen = told?.seen;
  return told?.goesOn;
}
async function follow(panel, signal) {
  const response = await answerOf(panel, panel.dataset.lines, signal);
  if (!response) return;
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let torn = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const documents = (torn + value).split("\n");
    torn = documents.pop();
    if (documents.length) show(panel, documents.map((text) => JSON.parse(text)));
  }
}
function readAnew(panel) {
  panel.reading.abort();
  read(panel);
}
// Output ends with its server, as if the attempt had ended: it is read anew once that is back.
document.addEventListener("enso:back", () => {
  for (const panel of document.querySelectorAll("[data-lines]")) if (panel.reading) readAnew(panel);
});
document.addEventListener("enso:place", () => {
  if (document.hidden) return;
  for (const panel of document.querySelectorAll("[data-lines]"))
    if (panel.goesOn) {
      panel.reading.abort();
      (hasPlace() ? read : readLater)(panel);
    }
});
// Nobody reads what is hidden.
document.addEventListener("visibilitychange", () => {
  for (const panel of document.querySelectorAll("[data-lines]"))
    if (panel.goesOn) document.hidden ? panel.reading.abort() : readAnew(panel);
});
function show(panel, documents) {
  const before = panel.querySelector("pre");
  const atEnd = !before || before.scrollTop + before.clientHeight >= before.scrollHeight - 20;
  for (const added of documents) added.panel === undefined ? add(panel, added) : replace(panel, added.panel);
  const pre = panel.querySelector("pre");
  const why = pre.querySelector("mark");
  // Whoever has scrolled away from the end reads something.
  if (atEnd) pre.scrollTop = why ? why.offsetTop - pre.offsetTop - pre.clientHeight / 3 : pre.scrollHeight;
}
function replace(panel, html) {
  const top = panel.querySelector("pre")?.scrollTop;
  const shows = panel.querySelector(".tells input")?.checked;
  panel.innerHTML = html;
  panel.querySelector(".tells input").checked = Boolean(shows);
  if (top !== undefined) panel.querySelector("pre").scrollTop = top;
}
function add(panel, added) {
  const pre = panel.querySelector("pre");
  const begun = pre.querySelector(".begun");
  const lines = document.createElement("span");
  lines.innerHTML = added.lines;
  begun.before(lines);
  begun.innerHTML = added.begun;
  for (let dropped = added.dropped; dropped; dropped--) pre.firstElementChild.remove();
  for (const [what, text] of [[".left-out b", added.before], [".tells b", added.told]]) {
    const shown = panel.querySelector(what);
    shown.textContent = text;
    shown.parentElement.hidden = !text;
  }
}
function readIfSeen(details) {
  for (const panel of details.querySelectorAll("[data-lines]"))
    if (details.open && !panel.reading) read(panel);
    else if (!details.open && panel.reading) {
      panel.reading.abort();
      panel.reading = null;
      panel.goesOn = false;
    }
}
document.addEventListener("toggle", (event) => readIfSeen(event.target), true);
document.addEventListener("htmx:after:swap", () => {
  goOn();
  for (const details of document.querySelectorAll("details[open]")) readIfSeen(details);
});
for (const panel of document.querySelectorAll("main > [data-lines]")) read(panel);
