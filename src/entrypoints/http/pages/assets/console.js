"use strict";
// The console works without this. It keeps parts up to date while somebody looks at them, and tells how long a text is
// while it is written.

const EVERY_MS = 2000;

async function lookAgain() {
  for (const part of document.querySelectorAll("[data-again]")) {
    const response = await fetch(part.dataset.again, { redirect: "error" });
    if (!response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById(part.id);
    // Whoever is at one of its buttons is not to lose it.
    if (fresh && fresh.outerHTML !== part.outerHTML && !part.contains(document.activeElement)) part.replaceWith(fresh);
  }
  if (document.querySelector("[data-again]")) setTimeout(lookAgain, EVERY_MS);
}

setTimeout(lookAgain, EVERY_MS);

const form = document.querySelector("[data-measure]");
const MEASURED = ["FormKey", "Message", "Template", "Sender"];
let pause;

async function measure() {
  const fields = new FormData();
  for (const [name, value] of new FormData(form)) {
    if (MEASURED.includes(name) || name.startsWith("Value.")) fields.append(name, value);
  }
  const response = await fetch(form.dataset.measure, { method: "POST", body: fields, redirect: "error" });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("measure");
  if (fresh) document.getElementById("measure").innerHTML = fresh.innerHTML;
}

if (form) {
  form.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(measure, 300);
  });
  measure();
}
