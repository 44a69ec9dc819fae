// What the pages do beside htmx. Everything can be read without it.
"use strict";

// The clock of the server: that of this machine may be wrong.
const skew = Number(document.body.dataset.now) * 1000 - Date.now();
const seconds = () => (Date.now() + skew) / 1000;

// Ages go on, and so do the bars of what runs.
const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
function told(elapsed) {
  const whole = Math.max(0, Math.floor(elapsed));
  const first = units.findIndex(([name, unit]) => whole >= unit || name === "s");
  const parts = units.slice(first, first + 2).map(([name, unit], i) =>
    [Math.floor((i ? whole % units[first][1] : whole) / unit), name]);
  return parts.filter(([count], i) => count || !i).map((part) => part.join(" ")).join(" ");
}
const age = (elapsed) => told(elapsed).split(" ", 2).join(" ");
// Moments are told in the time of whoever looks; the exact one, in UTC, is their title.
const day = new Intl.DateTimeFormat("sv-SE", { month: "2-digit", day: "2-digit" });
const clock = new Intl.DateTimeFormat("sv-SE", { timeStyle: "medium" });
function moment(at) {
  const today = day.format(Date.now());
  return day.format(at) === today ? clock.format(at) : `${day.format(at)} ${clock.format(at)}`;
}
function goOn() {
  const now = seconds();
  for (const shown of document.querySelectorAll(".moment")) {
    const at = shown.dataset.at ? shown.dataset.at * 1000 : Date.parse(shown.dateTime);
    shown.textContent = moment(at);
  }
  for (const time of document.querySelectorAll("time.ago, time.since")) {
    const elapsed = now - Date.parse(time.dateTime) / 1000;
    time.textContent = time.className === "ago" ? `${age(elapsed)} ago` : told(elapsed);
  }
  for (const time of document.querySelectorAll("time.until")) {
    const left = Date.parse(time.dateTime) / 1000 - now;
    time.textContent = left > 0 ? `in ${age(left)}` : "now";
  }
  for (const bar of document.querySelectorAll("[data-rate]")) {
    const { left, end, rate } = bar.dataset;
    const width = Math.min(100, 100 - rate * (end - now)) - left;
    bar.setAttribute("width", `${Math.max(width, 0.35)}%`);
  }
}
goOn();
setInterval(goOn, 1000);

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

// Whoever looks is told when what they see is not live.
const trouble = document.getElementById("trouble");
const tell = (text) => { trouble.textContent = text; };
document.addEventListener("htmx:sse:error", () => tell("The server does not answer: trying again."));
document.addEventListener("htmx:sse:after:connection", () => {
  tell("");
  // The extension hears of a page that becomes hidden. One that was hidden before has its stream closed, too.
  if (document.hidden) setTimeout(() => document.dispatchEvent(new Event("visibilitychange")));
});
for (const name of ["trouble", "away"])
  document.getElementById("live").addEventListener(name, (event) => tell(event.detail.data));

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
    if (error.name !== "AbortError") pre.append(`\n${error.message}`);
  }
}
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
