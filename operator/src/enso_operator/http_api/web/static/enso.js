// What the pages do beside htmx. Everything can be read without it.
"use strict";

// The clock of the server: that of this machine may be wrong.
const skew = Number(document.body.dataset.now) * 1000 - Date.now();
const seconds = () => (Date.now() + skew) / 1000;

// Ages go on, and so do the bars of what runs.
function age(elapsed) {
  for (const [name, unit] of [["d", 86400], ["h", 3600], ["min", 60]])
    if (elapsed >= unit) return `${Math.floor(elapsed / unit)} ${name}`;
  return `${Math.max(0, Math.floor(elapsed))} s`;
}
function goOn() {
  const now = seconds();
  for (const time of document.querySelectorAll("time.ago, time.since")) {
    const text = age(now - Date.parse(time.dateTime) / 1000);
    time.textContent = time.className === "ago" ? `${text} ago` : text;
  }
  for (const bar of document.querySelectorAll("[data-rate]")) {
    const { left, end, rate } = bar.dataset;
    const width = Math.min(100, 100 - rate * (end - now)) - left;
    bar.setAttribute("width", `${Math.max(width, 0.35)}%`);
  }
}
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
document.addEventListener("htmx:sse:after:connection", () => tell(""));
document.getElementById("live").addEventListener("trouble", (event) => tell(event.detail.data));
