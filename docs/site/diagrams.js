// Draws what stands in the Markdown as the words of a diagram.
for (const block of document.querySelectorAll(".highlight-mermaid")) {
  const diagram = document.createElement("div");
  diagram.className = "mermaid";
  diagram.style = "background: #fff; padding: 1em; overflow-x: auto";
  diagram.textContent = block.textContent;
  block.replaceWith(diagram);
}
mermaid.initialize({ startOnLoad: false, theme: "neutral" });
mermaid.run();
