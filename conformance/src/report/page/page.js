"use strict";
// Light or dark, as the reader likes; without a choice the system's.
(() => {
  const root = document.documentElement, button = document.getElementById("theme");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const label = () => { button.textContent = dark() ? "Light" : "Dark"; };
  button.onclick = () => {
    root.dataset.theme = dark() ? "light" : "dark";
    label();
    dispatchEvent(new Event("theme"));
  };
  label();
})();

// A picture's line of words tells what the pointer or the keyboard is on.
for (const picture of document.querySelectorAll("[data-picture]")) {
  const says = picture.querySelector(".says"), rest = says.textContent;
  const tell = (event) => { const on = event.target.closest("[data-says]"); says.textContent = on ? on.dataset.says : rest; };
  for (const kind of ["pointerover", "focusin"]) picture.addEventListener(kind, tell);
}

// Tables that can be narrowed down.
for (const tools of document.querySelectorAll("[data-filter]")) {
  const rows = [...document.querySelectorAll(`#${tools.dataset.filter} tbody tr`)];
  const text = tools.querySelector("input[type=search]"), holes = tools.querySelector("input[type=checkbox]");
  const shown = tools.querySelector("output");
  const apply = () => {
    const wanted = text.value.toLowerCase();
    let count = 0;
    for (const row of rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted) || (holes && holes.checked && !row.dataset.hole);
      count += !row.hidden;
    }
    shown.textContent = `${count} of ${rows.length}`;
  };
  tools.addEventListener("input", apply);
  apply();
}

for (const repro of document.querySelectorAll(".repro")) {
  const button = repro.querySelector("button");
  button.onclick = () => {
    const range = document.createRange();
    range.selectNodeContents(repro.querySelector("code"));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    // Old, but the only way that a page from a file may use.
    button.textContent = document.execCommand("copy") ? "Copied" : "Selected";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };
}
