"use strict";

// On paper nothing can be unfolded.
(() => {
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    opened.forEach((fold) => { fold.open = true; });
  });
  window.addEventListener("afterprint", () => {
    opened.forEach((fold) => { fold.open = false; });
  });
})();

// The case nearest to the pointer shows its id, label and picture. Texts are set as text, never as
// markup: ids come from other people's files.
(() => {
  const cases = JSON.parse(document.getElementById("map-cases").textContent);
  const plot = document.getElementById("map-plot");
  if (!plot || cases.length === 0) return;

  const REACH = 22; // pixels between the pointer and a case that still counts as pointing at it
  const box = document.getElementById("map-box");
  const tip = document.getElementById("map-tip");
  const picture = document.getElementById("map-tip-picture");
  const focus = document.getElementById("map-focus");
  const byPlace = cases.map((_, i) => i).sort((a, b) => cases[a].x - cases[b].x || cases[a].y - cases[b].y);
  let shown = -1;

  const scale = () => plot.getBoundingClientRect().width / plot.viewBox.baseVal.width;

  function hide() {
    shown = -1;
    tip.hidden = true;
    focus.setAttribute("hidden", "");
  }

  function show(i) {
    if (i === shown) return;
    shown = i;
    const { x, y, id, label, part, picture: jpeg } = cases[i];
    document.getElementById("map-tip-id").textContent = id;
    document.getElementById("map-tip-text").textContent = `${label} · ${part}`;
    picture.hidden = !jpeg;
    if (jpeg) picture.src = `data:image/jpeg;base64,${jpeg}`;
    focus.setAttribute("cx", x);
    focus.setAttribute("cy", y);
    focus.removeAttribute("hidden");
    tip.hidden = false;
    const left = x * scale() + 14;
    const top = y * scale() + 14;
    const overRight = left + tip.offsetWidth > box.clientWidth;
    const overBottom = top + tip.offsetHeight > box.clientHeight;
    tip.style.left = `${Math.max(0, overRight ? left - 28 - tip.offsetWidth : left)}px`;
    tip.style.top = `${Math.max(0, overBottom ? top - 28 - tip.offsetHeight : top)}px`;
  }

  function point(event) {
    const frame = plot.getBoundingClientRect();
    const x = event.clientX - frame.left;
    const y = event.clientY - frame.top;
    const s = scale();
    let nearest = -1;
    let least = REACH;
    cases.forEach((one, i) => {
      const distance = Math.hypot(one.x * s - x, one.y * s - y);
      if (distance < least) [nearest, least] = [i, distance];
    });
    if (nearest < 0) hide();
    else show(nearest);
  }

  plot.addEventListener("pointermove", point);
  plot.addEventListener("click", point);
  plot.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") hide(); });
  plot.addEventListener("blur", hide);
  plot.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") hide();
    if (!step) return;
    event.preventDefault();
    const at = shown < 0 ? (step > 0 ? -1 : 0) : byPlace.indexOf(shown);
    show(byPlace[(at + step + byPlace.length) % byPlace.length]);
  });
})();
