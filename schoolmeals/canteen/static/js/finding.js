/* The way round when there is no card: by class and name, in a grid with photos, or by typing the card's number. */

import { page, part, say, show, words } from "./screens.js";

const PAUSE_IN_TYPING_MS = 250;

/** Show the search. `deeds`: choose(pupilId), number(text), back(). */
export function find(deeds) {
  show("find", part("screen-find"), {
    choose: (button) => deeds.choose(button.dataset.pupil),
    class: (button) => pick(button),
    number: (form) => form.elements.number.value.trim() && deeds.number(form.elements.number.value.trim()),
    search: () => look(),
    back: deeds.back,
  });
  const search = document.getElementById("find-name");
  let timer = 0;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE_IN_TYPING_MS);
  });
}

function pick(button) {
  const wasPressed = button.getAttribute("aria-pressed") === "true";
  for (const other of document.querySelectorAll("[data-class]")) other.setAttribute("aria-pressed", "false");
  button.setAttribute("aria-pressed", String(!wasPressed));
  look();
}

let asked = 0;

async function look() {
  const found = document.getElementById("found");
  const query = new URLSearchParams();
  const chosen = document.querySelector("[data-class][aria-pressed=true]");
  const name = document.getElementById("find-name").value.trim();
  // Whoever types a name wants to see the faces, which on a small screen begin below the classes.
  document.getElementById("find-classes").hidden = Boolean(name) && !chosen;
  if (chosen) query.set("class_id", chosen.dataset.class);
  if (name) query.set("search", name);
  const mine = (asked += 1);
  if (!chosen && !name) return found.replaceChildren();
  try {
    const answer = await fetch(`${page.faces}?${query}`, { signal: AbortSignal.timeout(8000) });
    if (!answer.ok) throw new Error(String(answer.status));
    const faces = new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes;
    // An answer to what was typed before must not replace one to what is typed now.
    if (mine === asked) found.replaceChildren(...faces);
  } catch {
    if (mine === asked) found.replaceChildren(words("cannot-search"));
    say(words("cannot-search"));
  }
}
