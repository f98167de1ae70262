/* Puts the screens together. Every word and every sign comes from the page's <template>s, so that they are translated
   and parsed by the server; here they are only copied and filled in. */

const NO_BREAK = "\u00a0";
const main = document.getElementById("main");
const spoken = document.getElementById("spoken");

export const language = document.documentElement.lang;

/** What the page tells the script: addresses, the school's time zone, the cashier. */
export const page = document.getElementById("till").dataset;

/** A copy of the template `id` with its slots filled. A slot's value is text, a node, or null to take it away. */
export function part(id, slots = {}) {
  const copy = document.getElementById(id).content.cloneNode(true);
  for (const [name, value] of Object.entries(slots)) {
    for (const place of copy.querySelectorAll(`[data-slot="${name}"]`)) {
      if (value === null) place.remove();
      else place.replaceChildren(...[value].flat());
    }
  }
  return copy;
}

/** The text that the page has for `name`; `%(name)s` is filled from `values`. */
export function words(name, values = {}) {
  const text = document.getElementById("words").content.querySelector(`[data-word="${name}"]`).textContent;
  return text.replace(/%\((\w+)\)s/g, (_, value) => String(values[value]));
}

/** Let `content` be the whole screen; `deeds` are called when somebody presses a `[data-do]` button. */
export function show(looks, content, deeds = {}) {
  main.className = looks;
  main.dataset.screen = looks.split(" ").at(-1);
  main.replaceChildren(content);
  main.onclick = (event) => {
    const button = event.target.closest("[data-do]");
    if (button && !button.disabled) deeds[button.dataset.do]?.(button, event);
  };
  main.onsubmit = (event) => {
    event.preventDefault();
    deeds[event.target.dataset.submit]?.(event.target, event);
  };
  main.querySelector("[data-first]")?.focus();
}

/** Say it to those who hear the page. */
export function say(text) {
  spoken.textContent = text;
}

export function sign(kind) {
  return part(`sign-${kind}`);
}

/** A sum in minor units, as the server writes it. */
export function money(minor, currencySign = "₸") {
  const whole = String(Math.trunc(minor / 100)).replace(/\B(?=(\d{3})+$)/g, language === "en" ? "," : NO_BREAK);
  const rest = minor % 100 ? `${language === "en" ? "." : ","}${String(minor % 100).padStart(2, "0")}` : "";
  return `${whole}${rest}${NO_BREAK}${currencySign}`;
}

/** The clock's time of an instant in the school's zone. */
export function clockTime(instant) {
  return new Intl.DateTimeFormat("ru", {
    hour: "2-digit",
    minute: "2-digit",
    timeZone: page.zone,
  }).format(new Date(instant));
}

/** How the till is connected: `connected` or `away`, and how many taps wait. */
export function showLink(state, unsent) {
  for (const place of document.querySelectorAll("[data-link]")) place.hidden = place.dataset.link !== state;
  const waiting = document.getElementById("unsent");
  waiting.hidden = unsent === 0;
  waiting.querySelector("b").textContent = String(unsent);
  // What was taken in this shift is sent in this shift.
  document.getElementById("end").disabled = unsent > 0;
}
