"use strict";
document.documentElement.classList.add("scripted");
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// What the heat map's colours show.
const grid = document.getElementById("grid-figure");
for (const choice of all("input[name=metric]")) {
  const show = () => { if (choice.checked) grid.dataset.metric = choice.value; };
  choice.addEventListener("change", show);
  show();
}

// The numbers of the cell under the pointer or with the keyboard's focus.
const tip = document.getElementById("tip");
function showTip(mark) {
  tip.textContent = mark.dataset.tip;
  tip.hidden = false;
  const box = mark.getBoundingClientRect();
  const left = Math.min(box.left + box.width / 2 - tip.offsetWidth / 2, document.documentElement.clientWidth - tip.offsetWidth - 8);
  const above = box.top - tip.offsetHeight - 8;
  tip.style.left = `${Math.max(8, left) + scrollX}px`;
  tip.style.top = `${(above < 0 ? box.bottom + 8 : above) + scrollY}px`;
}
const hideTip = () => { tip.hidden = true; };
for (const mark of all("[data-tip]")) {
  mark.addEventListener("pointerenter", () => showTip(mark));
  mark.addEventListener("focus", () => showTip(mark));
  mark.addEventListener("pointerleave", hideTip);
  mark.addEventListener("blur", hideTip);
}
document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });

// What continues past an edge fades there.
for (const box of all(".scroll")) {
  const fade = () => {
    box.classList.toggle("before", box.scrollLeft > 1);
    box.classList.toggle("after", box.scrollLeft + box.clientWidth < box.scrollWidth - 1);
  };
  box.addEventListener("scroll", fade, { passive: true });
  new ResizeObserver(fade).observe(box);
}

// The trials whose survival curves are shown; each takes the first free colour and dashes.
const picks = all("#picker input");
const series = new Map(all(".survival .series").map((line) => [line.dataset.trial, line]));
const names = new Map(all(".survival .at").map((name) => [name.dataset.trial, name]));
const nameGroup = document.querySelector(".survival .names");
const looks = nameGroup ? nameGroup.dataset.slots.split(",").map((classes) => classes.split(" ")) : [];
const slots = new Map();
function dress(element, slot) {
  element.classList.remove(...looks.flat());
  element.classList.add(...looks[slot % looks.length]);
}
function place(name, slot) {
  const places = name.dataset.places.split(" ");
  const [x, y, anchor] = places[slot % places.length].split(",");
  name.setAttribute("x", x);
  name.setAttribute("y", y);
  name.setAttribute("text-anchor", anchor);
}
function pick(box) {
  const line = series.get(box.value);
  const name = names.get(box.value);
  if (box.checked && !slots.has(box.value)) {
    let slot = 0;
    while ([...slots.values()].includes(slot)) slot += 1;
    slots.set(box.value, slot);
    dress(line, slot);
    dress(name, slot);
    dress(box.parentElement.querySelector(".swatch"), slot);
  } else if (!box.checked) {
    slots.delete(box.value);
  }
  line.toggleAttribute("hidden", !box.checked);
  name.toggleAttribute("hidden", !box.checked);
}
// No name overlaps another: the lower one moves down.
function spreadNames() {
  const apart = Number(nameGroup.dataset.nameHeight);
  const boxes = [...slots].map(([trial, slot]) => {
    const name = names.get(trial);
    place(name, slot);
    const [x, y] = ["x", "y"].map((attribute) => Number(name.getAttribute(attribute)));
    const width = Number(name.dataset.width);
    return { name, y, width, left: name.getAttribute("text-anchor") === "end" ? x - width : x };
  });
  const taken = [];
  for (const box of boxes.sort((a, b) => a.y - b.y || a.left - b.left)) {
    const beside = taken.filter((other) => box.left < other.left + other.width && other.left < box.left + box.width);
    while (beside.some((other) => Math.abs(box.y - other.y) < apart)) box.y += 1;
    box.name.setAttribute("y", box.y);
    taken.push(box);
  }
}
const key = document.getElementById("survival-key");
function tellPicked() {
  spreadNames();
  const picked = picks.filter((box) => box.checked);
  key.replaceChildren(...picked.map((box) => {
    const entry = document.createElement("span");
    entry.className = "key";
    entry.append(box.parentElement.querySelector(".swatch").cloneNode(true), box.value);
    return entry;
  }));
  const said = picked.map((box) => series.get(box.value).dataset.words).join("; ");
  const words = said ? `${said}.` : "No trial is picked.";
  const drawn = document.querySelector("svg.survival");
  drawn.querySelector("desc").textContent = words;
  drawn.setAttribute("aria-label", `${drawn.querySelector("title").textContent}. ${words}`);
}
for (const box of picks) {
  box.addEventListener("change", () => { pick(box); tellPicked(); });
  pick(box);
}
if (key) tellPicked();
for (const button of all("button[data-pick]")) {
  button.addEventListener("click", () => picks.forEach((box, place) => {
    box.checked = place < Number(button.dataset.pick);
    pick(box);
    tellPicked();
  }));
}

// One trial up close: chosen in the list, or by any link to it.
const choice = document.getElementById("trial-choice");
function showTrial(name) {
  const wanted = document.getElementById(`trial-${name}`);
  if (!wanted) return;
  for (const trial of all(".trial")) trial.classList.toggle("shown", trial === wanted);
  choice.value = name;
}
function showLinked() {
  if (!location.hash.startsWith("#trial-")) return;
  showTrial(location.hash.slice("#trial-".length));
  document.getElementById("close-up").scrollIntoView();
}
if (choice) {
  choice.addEventListener("change", () => {
    history.replaceState(null, "", `#trial-${choice.value}`);
    showTrial(choice.value);
  });
  addEventListener("hashchange", showLinked);
  showLinked();
}

// The leaderboard, sorted by any column; rows without a number come last.
for (const button of all("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of all("th[aria-sort]")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const body = head.closest("table").tBodies[0];
    const key = (row) => row.cells[head.cellIndex].dataset.sort ?? row.cells[head.cellIndex].textContent.trim();
    const numeric = head.hasAttribute("data-numeric");
    const compare = (first, second) => {
      const [a, b] = [key(first), key(second)];
      if (a === "" || b === "") return (a === "") - (b === "");
      const order = numeric ? Number(a) - Number(b) : a.localeCompare(b, "en", { numeric: true });
      return up ? order : -order;
    };
    body.append(...[...body.rows].sort(compare));
  });
}

// If the page is opened from a disk, the program names the model by its absolute path.
if (location.protocol === "file:") {
  for (const code of all("pre[data-model]")) {
    const path = decodeURIComponent(new URL(code.dataset.model, location.href).pathname).replace(/^\/(?=[A-Za-z]:)/, "");
    const [before, after] = code.textContent.replace(/^#.*\n/, "").split(JSON.stringify(code.dataset.model));
    if (after !== undefined) code.textContent = before + JSON.stringify(path) + after;
  }
}

// Copying a program.
for (const button of all("button[data-copy]")) {
  button.addEventListener("click", async () => {
    const code = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2500);
  });
}
