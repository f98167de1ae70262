/* The last five sales, to be taken back within five minutes by two presses. */

import { newId } from "./ids.js";
import { clockTime, part, show, words } from "./screens.js";

export const UNDO_MS = 5 * 60 * 1000;
export const SHOWN = 5;

/* One id for each sale, so that asking again after a broken connection undoes it once. */
const undoIds = new Map();

/** Show `sales`, the newest first. `deeds`: undo(saleId, undoId) gives null or a sentence that says why not; back(). */
export function showLast(sales, deeds) {
  const list = sales.slice(0, SHOWN).map((sale) => line(sale));
  show("last-sales", part("screen-last", { list: list.length ? list : [words("no-sales-yet")] }), {
    back: deeds.back,
    undo: (button) => ask(button),
    "really-undo": (button) => undo(button, sales, deeds),
  });
}

function line(sale) {
  const mayUndo = !sale.isUndone && Date.now() - Date.parse(sale.recordedAt) < UNDO_MS;
  const drawn = part("part-sale", { name: sale.name, class: sale.className, time: clockTime(sale.recordedAt) });
  const button = drawn.querySelector("[data-do=undo]");
  button.dataset.sale = sale.id;
  button.setAttribute("aria-label", words("undo-of", { name: sale.name }));
  button.hidden = !mayUndo;
  drawn.querySelector("[data-part=undone]").hidden = !sale.isUndone;
  return drawn;
}

function ask(button) {
  button.dataset.do = "really-undo";
  button.textContent = words("really-undo");
  button.setAttribute("aria-label", words("really-undo"));
  button.classList.replace("secondary", "warning");
}

async function undo(button, sales, deeds) {
  const sale = sales.find((one) => one.id === button.dataset.sale);
  if (!undoIds.has(sale.id)) undoIds.set(sale.id, newId());
  button.disabled = true;
  const problem = await deeds.undo(sale.id, undoIds.get(sale.id));
  button.disabled = false;
  const place = document.getElementById("undo-problem");
  place.textContent = problem ?? "";
  place.hidden = !problem;
  if (problem) return;
  sale.isUndone = true;
  button.hidden = true;
  button.closest("li").querySelector("[data-part=undone]").hidden = false;
}
