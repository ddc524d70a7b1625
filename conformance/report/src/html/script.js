// Everything on the page can be read without this: it opens what is folded for printers that don't do it themselves,
// filters, and copies.
"use strict";
const folded = [];
addEventListener("beforeprint", () => {
  for (const element of document.querySelectorAll("details:not([open])")) {
    element.open = true;
    folded.push(element);
  }
});
addEventListener("afterprint", () => {
  for (const element of folded.splice(0)) element.open = false;
});
for (const button of document.querySelectorAll("button.copy")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.closest(".code").querySelector("code").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
}
const filter = document.getElementById("filter");
if (filter) {
  filter.parentElement.hidden = false;
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const element of document.querySelectorAll(".filterable")) {
      const text = element.textContent.toLowerCase();
      element.classList.toggle("hidden", !words.every((word) => text.includes(word)));
    }
  });
}
