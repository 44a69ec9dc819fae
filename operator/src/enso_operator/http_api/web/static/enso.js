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

// The output of an attempt is read while its script is open, to its end or for as long as it runs.
const most = 256 * 1024;
const colours = /\x1b\[[0-9;:?]*[ -\/]*[@-~]/g;
const hidden = /[\0-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]/g;
// What a terminal shows of a line that was written over; searched by hand, as a pattern would take
// the square of a long line's length.
function lastWritten(line) {
  let end = line.length;
  while (line[end - 1] === "\r") end--;
  return line.slice(line.lastIndexOf("\r", end - 1) + 1, end);
}
async function read(pre) {
  const url = new URL(pre.dataset.output, location);
  url.searchParams.set("follow", "1");
  const reading = (pre.reading = new AbortController());
  try {
    const headers = { Accept: "application/json" };
    const response = await fetch(url, { headers, signal: reading.signal });
    if (!response.ok) {
      pre.textContent = (await response.json()).error;
      return;
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    let shows = false;
    const show = () => {
      shows = false;
      const atEnd = pre.scrollTop + pre.clientHeight >= pre.scrollHeight - 20;
      pre.textContent = text.replace(colours, "").split("\n").map(lastWritten).join("\n")
        .replace(hidden, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
      if (atEnd) pre.scrollTop = pre.scrollHeight;
    };
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      text += value;
      if (text.length > most) text = `\u2026${text.slice(-most)}`;
      if (!shows) {
        shows = true;
        setTimeout(show, 150);
      }
    }
    if (!text) pre.textContent = "It wrote nothing.";
    setTimeout(() => mark(pre), 200);
  } catch (error) {
    if (error.name === "AbortError") return;
    pre.append(`\n${error.message}`);
    pre.broke = true;
  }
}
// What broke off is read anew once the server is back.
document.addEventListener("enso:back", () => {
  for (const pre of document.querySelectorAll("[data-output]"))
    if (pre.broke) {
      pre.broke = false;
      read(pre);
    }
});
// The lines that tell why the attempt failed, as the server marks them on the page of the output.
function mark(pre) {
  const why = pre.closest("li")?.querySelector("[data-why]")?.dataset.why;
  if (!why) return;
  const atEnd = pre.scrollTop + pre.clientHeight >= pre.scrollHeight - 20;
  const lines = pre.textContent.split("\n").flatMap((line, i) => {
    const marked = document.createElement("mark");
    marked.textContent = line;
    return [i ? "\n" : "", line.includes(why) ? marked : line];
  });
  pre.replaceChildren(...lines);
  if (atEnd) pre.scrollTop = pre.scrollHeight;
}
function readIfSeen(details) {
  for (const pre of details.querySelectorAll("[data-output]"))
    if (details.open && !pre.reading) read(pre);
    else if (!details.open && pre.reading) {
      pre.reading.abort();
      pre.reading = null;
    }
}
document.addEventListener("toggle", (event) => readIfSeen(event.target), true);
document.addEventListener("htmx:after:swap", () => {
  goOn();
  for (const details of document.querySelectorAll("details[open]")) readIfSeen(details);
});
for (const pre of document.querySelectorAll("#output[data-output]")) read(pre);
