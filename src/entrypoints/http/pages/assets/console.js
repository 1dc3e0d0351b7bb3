"use strict";
// The console works without this. It keeps parts up to date while somebody looks at them, and tells how long a text is
// while it is written.

const EVERY_MS = 2000;
const PAUSE_MS = 300;
const MEASURED = ["FormKey", "Message", "Template", "Sender"];

// Null where the hub cannot be reached, or refuses.
async function fresh(id, response) {
  if (!response?.ok || response.redirected) return null;
  return new DOMParser().parseFromString(await response.text(), "text/html").getElementById(id);
}

function ask(address, options) {
  return fetch(address, options).catch(() => null);
}

async function lookAgain() {
  for (const part of document.hidden ? [] : document.querySelectorAll("[data-again]")) {
    const response = await ask(part.dataset.again);
    if (response?.redirected) location.reload(); // The session has ended.
    const now = await fresh(part.id, response);
    // Whoever is at one of its buttons is not to lose it.
    if (now && now.outerHTML !== part.outerHTML && !part.contains(document.activeElement)) part.replaceWith(now);
  }
  if (document.querySelector("[data-again]")) setTimeout(lookAgain, EVERY_MS);
}

setTimeout(lookAgain, EVERY_MS);

// Of the tabs that have no room on a phone, the one of this page is to be seen.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

const form = document.querySelector("[data-measure]");
let pause;

async function measure() {
  const body = new FormData();
  for (const [name, value] of new FormData(form)) {
    if (MEASURED.includes(name) || name.startsWith("Value.")) body.append(name, value);
  }
  // Where the session has ended, what was written is not to be lost.
  const now = await fresh("measure", await ask(form.dataset.measure, { method: "POST", body }));
  if (now) document.getElementById("measure").innerHTML = now.innerHTML;
}

if (form) {
  form.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(measure, PAUSE_MS);
  });
  measure();
}
