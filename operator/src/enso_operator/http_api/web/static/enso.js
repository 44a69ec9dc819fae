// What the pages do beside htmx. Everything can be read without it.
"use strict";

// Ages go on while a page is open.
const units = [["d", 86400], ["h", 3600], ["min", 60]];
function age(seconds) {
  for (const [name, unit] of units)
    if (seconds >= unit) return `${Math.floor(seconds / unit)} ${name}`;
  return `${Math.max(0, Math.floor(seconds))} s`;
}
function refreshAges() {
  for (const time of document.querySelectorAll("time.ago"))
    time.textContent = `${age((Date.now() - Date.parse(time.dateTime)) / 1000)} ago`;
}
setInterval(refreshAges, 10000);

// A choice is a search: nobody has to press the button, too.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});
