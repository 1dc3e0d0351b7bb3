"use strict";
// The page works without this. It adds buttons that copy, and tells screen readers which part is open.

for (const block of document.querySelectorAll(".code")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("code").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  if (navigator.clipboard) block.prepend(button);
}

const parts = [...document.querySelectorAll(".tab")];

function tellWhichIsOpen() {
  const sought = location.hash && document.getElementById(location.hash.slice(1));
  const open = parts.find((part) => sought && part.contains(sought)) ?? parts[0];
  for (const part of parts) {
    const link = document.querySelector(`.tabs a[href="#${part.id}"]`);
    if (part === open) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  // The radio button follows an address that names a sample.
  const language = sought && document.getElementById(`in-${sought.id}`);
  if (language) language.checked = true;
}

addEventListener("hashchange", tellWhichIsOpen);
tellWhichIsOpen();
