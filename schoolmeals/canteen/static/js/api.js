/* The till's words with the server: what is sent, signed with the device's key, and what comes back. */

import { loadDevice, sign } from "/static/identity/js/enrol.js";
import { language, words } from "./screens.js";

const TAPS = "/api/till/taps";
const STATE = "/api/till/state";
const UNDO = "/api/till/undo";
const LONGEST_MS = 8000;
/* Nobody is known here any more: the shift is over, or the till was ended. */
const CLOSED = new Set([401, 403, 404]);
/* What would be refused however often it is sent. Everything else may be better in a moment. */
const UNREADABLE = new Set([413, 422]);

/** Send taps. Throws where nothing came back, so that they are sent again. */
export async function postTaps(taps) {
  const answer = await postSigned(TAPS, { taps });
  if (answer.ok) return { kind: "answers", answers: (await answer.json()).answers };
  if (CLOSED.has(answer.status)) return { kind: "closed" };
  if (UNREADABLE.has(answer.status)) return { kind: "refused", detail: await detailOf(answer) };
  throw new Error(String(answer.status));
}

/** Take a sale back. Gives null, or a sentence that says why not. */
export async function undoSale(saleId, undoId) {
  try {
    const answer = await postSigned(UNDO, { sale_id: saleId, undo_id: undoId });
    return answer.ok ? null : await detailOf(answer);
  } catch {
    return words("cannot-undo");
  }
}

/** Sittings with their menus and counts, the last sales, and how far the server has seen the till count; or "closed". */
export async function loadState() {
  const answer = await fetch(STATE, { signal: AbortSignal.timeout(LONGEST_MS), cache: "no-store" });
  if (CLOSED.has(answer.status)) return "closed";
  if (!answer.ok) throw new Error(String(answer.status));
  const state = await answer.json();
  return {
    cashierName: state.cashier_name,
    isOffice: state.is_office,
    lastSeq: state.last_seq,
    sittings: state.sittings.map(sittingOf),
    sales: state.sales.map(saleOf),
  };
}

function sittingOf(sitting, _place, all) {
  const lines = sitting.items.map((item) => ({ ...item, name: item.names[language] || item.names.kk }));
  return {
    id: sitting.id,
    name: nameOf(sitting, all),
    opensAt: sitting.opens_at,
    closesAt: sitting.closes_at,
    isOpen: sitting.is_open,
    count: sitting.count,
    lines,
    hasSetMeal: lines.some((line) => line.kind === "set"),
    items: lines.filter((line) => line.kind === "buffet"),
  };
}

/* The shift is said only where the meal has more than one. */
function nameOf({ meal, shift }, all) {
  const isOnly = shift === 1 && all.every((one) => one.meal !== meal || one.shift === 1);
  return isOnly ? words(`meal-${meal}`) : words("meal-in-shift", { meal: words(`meal-${meal}`), shift });
}

function saleOf(sale) {
  return {
    id: sale.id,
    name: sale.pupil_name,
    className: sale.class_name,
    recordedAt: sale.recorded_at,
    isUndone: sale.is_undone,
  };
}

async function postSigned(address, content) {
  const body = new TextEncoder().encode(JSON.stringify(content));
  const device = await loadDevice();
  return fetch(address, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "X-Device-Id": device.deviceId,
      "X-Device-Signature": await sign(body),
    },
    body,
    signal: AbortSignal.timeout(LONGEST_MS),
  });
}

async function detailOf(answer) {
  try {
    return (await answer.json()).detail;
  } catch {
    return words("not-understood");
  }
}
