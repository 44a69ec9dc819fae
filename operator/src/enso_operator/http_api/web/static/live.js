// What goes on by itself while somebody looks, for as long as it is known what happens.
"use strict";

// The clock of the server: that of this machine may be wrong.
const skew = Number(document.body.dataset.now) * 1000 - Date.now();

// Since when nothing is known, by the clock of this machine; null while the page is live.
let lost = null;
const present = () => ((lost ?? Date.now()) + skew) / 1000;

const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
function told(elapsed) {
  const whole = Math.max(0, Math.floor(elapsed));
  const first = units.findIndex(([name, unit]) => whole >= unit || name === "s");
  const parts = units.slice(first, first + 2).map(([name, unit], i) =>
    [Math.floor((i ? whole % units[first][1] : whole) / unit), name]);
  return parts.filter(([count], i) => count || !i).map((part) => part.join(" ")).join(" ");
}
const age = (elapsed) => told(elapsed).split(" ", 2).join(" ");
// Moments are told in the time of whoever looks; their title has the exact one, here and in UTC.
const day = new Intl.DateTimeFormat("sv-SE", { month: "2-digit", day: "2-digit" });
const clock = new Intl.DateTimeFormat("sv-SE", { timeStyle: "medium" });
function moment(at) {
  const today = day.format(Date.now());
  return day.format(at) === today ? clock.format(at) : `${day.format(at)} ${clock.format(at)}`;
}
const exact = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "long" });
function named(time) {
  const here = exact.format(Date.parse(time.dateTime));
  time.title = time.title.replace(/[-\d]+ [:\d]+ UTC/, (utc) => (utc === here ? utc : `${here} (${utc})`));
}
// Ages go on, and so do the clocks and the bars of what runs, as far as that is known.
function goOn() {
  const now = present();
  for (const shown of document.querySelectorAll(".moment")) {
    const at = shown.dataset.at ? shown.dataset.at * 1000 : Date.parse(shown.dateTime);
    shown.textContent = moment(at);
  }
  for (const time of document.querySelectorAll("time[title]:not([title*='('])")) named(time);
  for (const time of document.querySelectorAll("time.ago, time.since")) {
    const began = Date.parse(time.dateTime) / 1000;
    time.textContent = time.className === "ago" ? `${age(now - began)} ago` : told(now - began);
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

// The server says something at least every 15 seconds; one that is silent for longer is away.
const silence = 40000;
const live = document.getElementById("live");
const trouble = document.getElementById("trouble");
const isFollowed = live.hasAttribute("hx-sse:connect");
let heard = Date.now();
let waits = heard; // since when something is waited for
let connection = null;
let refused = 0; // how often, before the first connection
let wasConnected = false;
const refusals = { 401: "you are signed out", 404: "the server does not have it any more" };

function hear() {
  heard = waits = Date.now();
  if (lost === null) return;
  lost = null;
  trouble.textContent = "";
  document.body.classList.remove("away");
  for (const one of document.querySelectorAll("[data-away]")) {
    one.removeAttribute(one.dataset.away);
    delete one.dataset.away;
  }
  goOn();
  document.dispatchEvent(new Event("enso:back"));
}
function lose(why) {
  lost ??= heard;
  trouble.textContent = `No news since ${moment(lost + skew)}: ${why}.`;
  document.body.classList.add("away");
  for (const one of document.querySelectorAll("main button:enabled, main a.button")) {
    one.dataset.away = one.matches("a") ? "aria-disabled" : "disabled";
    one.setAttribute(one.dataset.away, "true");
  }
  goOn();
}
function leave() {
  if (connection) heard = Date.now();
  connection = null;
}
document.addEventListener("click", (event) => {
  if (event.target.closest("a[aria-disabled]")) event.preventDefault();
});
document.addEventListener("htmx:sse:before:connection", leave);
document.addEventListener("htmx:sse:after:connection", (event) => {
  connection = event.detail.connection;
  wasConnected = true;
  // The extension hears of a page that becomes hidden. One that was hidden before has its stream closed, too.
  if (document.hidden) setTimeout(() => document.dispatchEvent(new Event("visibilitychange")));
});
document.addEventListener("htmx:sse:before:message", (event) => {
  if (!["trouble", "away"].includes(event.detail.message.event)) hear();
});
document.addEventListener("htmx:sse:error", ({ detail }) => {
  if (connection) return leave(); // it broke; whether the server is away the next one tells
  lose(refusals[detail.status] ?? "the server does not answer");
});
// The extension connects anew what it had connected; before that this does, more and more seldom, too.
function connect() {
  if (document.hidden) return document.addEventListener("visibilitychange", connect, { once: true });
  htmx.ajax("GET", live.getAttribute("hx-sse:connect"), { source: live });
}
live.addEventListener("htmx:after:request", (event) => event.preventDefault()); // a refusal, no stream
live.addEventListener("htmx:finally:request", ({ detail }) => {
  if (wasConnected) return;
  lose(refusals[detail.ctx.response?.status] ?? "the server does not answer");
  setTimeout(connect, Math.min(500 * 2 ** refused++, 60000));
});
live.addEventListener("away", (event) => {
  lose(event.detail.data);
  waits = Date.now();
});
live.addEventListener("trouble", (event) => {
  lose(event.detail.data);
  waits = Infinity; // the stream is closed for good
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) leave();
  waits = Math.max(waits, Date.now());
});
function watch() {
  goOn();
  if (!isFollowed || document.hidden || Date.now() - waits < silence) return;
  lose("the server does not answer");
  waits = Date.now();
  const { reader } = connection ?? {};
  connection = null;
  reader?.cancel(); // the extension connects anew
}
goOn();
setInterval(watch, 1000);
