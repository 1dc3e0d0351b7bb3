"use strict";
// The console works without this. It keeps parts up to date while somebody looks at them.

const EVERY_MS = 2000;

async function lookAgain() {
  for (const part of document.querySelectorAll("[data-again]")) {
    const response = await fetch(part.dataset.again, { redirect: "error" });
    if (!response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById(part.id);
    if (fresh && fresh.outerHTML !== part.outerHTML) part.replaceWith(fresh);
  }
  if (document.querySelector("[data-again]")) setTimeout(lookAgain, EVERY_MS);
}

setTimeout(lookAgain, EVERY_MS);
