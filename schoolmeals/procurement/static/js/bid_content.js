// From what is chosen on the page to the content of the envelopes, and the check of it by the same form that reads it at
// the opening (rules/bid_form.py sends its FORM as data).

import { hexOf } from "./bid_draft.js";

const PATTERNS = {
  id: /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/,
  hash: /^[0-9a-f]{64}$/,
  currency: /^[A-Z]{3}$/,
  day: /^\d{4}-\d{2}-\d{2}$/,
  code: /^[a-z0-9]+(-[a-z0-9]+)*$/,
};

// The first place of `value` that the form does not take, or "".
export function wrongPlace(shape, value, path = "") {
  if (value === null && shape.may_be_null) return "";
  if (shape.kind === "object") return wrongInObject(shape, value, path);
  if (shape.kind === "list") return wrongInList(shape, value, path);
  return isRight(shape, value) ? "" : path;
}

function isRight({ kind, least, most, choices }, value) {
  if (kind === "flag") return typeof value === "boolean";
  if (kind === "whole") return Number.isSafeInteger(value) && value >= least && value <= most;
  if (typeof value !== "string") return false;
  if (kind === "choice") return choices.includes(value);
  // Python counts characters, and so do we.
  if (kind === "text") return [...value].length >= least && [...value].length <= most && !/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(value);
  return PATTERNS[kind].test(value);
}

function wrongInObject(shape, value, path) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return path;
  const unknown = Object.keys(value).find((name) => !(name in shape.fields));
  if (unknown) return at(path, unknown);
  for (const [name, inner] of Object.entries(shape.fields)) {
    if (!(name in value)) {
      if (!shape.optional.includes(name)) return at(path, name);
      continue;
    }
    const wrong = wrongPlace(inner, value[name], at(path, name));
    if (wrong) return wrong;
  }
  return "";
}

function wrongInList(shape, value, path) {
  if (!Array.isArray(value) || value.length > shape.most) return path;
  const seen = new Set();
  for (const [place, row] of value.entries()) {
    const here = at(path, place);
    const wrong = wrongPlace(shape.of, row, here);
    if (wrong) return wrong;
    const key = shape.unique === "." ? row : shape.unique && row[shape.unique];
    if (shape.unique && seen.has(key)) return here;
    seen.add(key);
  }
  return "";
}

const at = (path, name) => (path ? `${path}.${name}` : String(name));

// A price as it is typed, in minor units; null where it is none.
export function minorOf(text) {
  const found = /^(\d{1,10})(?:[.,](\d{1,2}))?$/.exec(text.replace(/\s/g, ""));
  return found ? Number(found[1]) * 100 + Number((found[2] ?? "").padEnd(2, "0")) : null;
}

// What is wrong on the page: [{ part, id, code, about }].
export function problemsOf(place, room) {
  const problems = [];
  for (const one of place.querySelectorAll("[data-must]")) {
    if (!one.checked) problems.push({ part: "demands", id: `demand-${one.dataset.declare}`, code: "not-declared" });
  }
  for (const one of place.querySelectorAll("[data-price]")) {
    const price = minorOf(one.value);
    const ceiling = room.items[one.dataset.price];
    if (price === null || price < 1 || price > ceiling || (room.fixed_price && price !== ceiling)) {
      problems.push({ part: "prices", id: one.id, code: "price-missing", about: { item: one.dataset.price } });
    }
  }
  const origin = place.querySelector("[data-keep=origin_percent]");
  if (origin?.value.trim() && !/^(100|\d{1,2})$/.test(origin.value.trim())) {
    problems.push({ part: "menu", id: origin.id, code: "percent" });
  }
  return problems;
}

const chosen = (place, kind) => [...place.querySelectorAll(`[data-choose=${kind}]:checked`)].map((one) => one.value);

// The envelopes to be sealed: [{ name, files: [{ name, mediaType, blob }] }]. `fetchPaper(sha256)` gives a paper's bytes.
export async function envelopesOf(place, room, draft, fetchPaper) {
  const files = new Map();
  const used = new Set(["bid.json"]);
  const take = async (sha256, name, mediaType, read) => {
    if (files.has(sha256)) return files.get(sha256).name;
    const bytes = await read();
    if (!bytes || (await hexOf(bytes)) !== sha256) throw Object.assign(new Error("paper"), { told: "paper-gone" });
    const free = used.has(name.toLowerCase()) ? `${sha256.slice(0, 8)} ${name}` : name;
    used.add(free.toLowerCase());
    files.set(sha256, { name: free, mediaType, blob: new Blob([bytes], { type: mediaType }) });
    return free;
  };
  const listed = (sha256) => {
    const paper = room.ledger.papers[sha256];
    return take(sha256, paper.file, paper.media_type, () => fetchPaper(sha256));
  };
  const lines = (kind) => chosen(place, kind).map((id) => room.ledger[kind][id]).filter(Boolean);
  const qualification = {
    declared: [...place.querySelectorAll("[data-declare]:checked")].map((one) => one.dataset.declare),
    staff: lines("staff"),
    equipment: lines("equipment"),
    experience: lines("experience"),
    taxes: lines("taxes"),
    evidence: [],
    menu_note: place.querySelector("[data-keep=menu_note]")?.value.trim() ?? "",
  };
  for (const kind of ["staff", "equipment", "experience", "taxes"]) {
    for (const row of qualification[kind]) for (const sha256 of row.evidence) await listed(sha256);
  }
  for (const one of place.querySelectorAll("[data-paper-for]:checked")) {
    const { valid_until: until } = room.ledger.papers[one.value];
    const row = { for: one.dataset.paperFor, file: await listed(one.value), sha256: one.value };
    qualification.evidence.push(until ? { ...row, valid_until: until } : row);
  }
  for (const { for: forWhat, name, mediaType, sha256 } of draft.attached) {
    const file = await take(sha256, name, mediaType, () => draft.bytesOf(sha256));
    qualification.evidence.push({ for: forWhat, file, sha256 });
  }
  const origin = place.querySelector("[data-keep=origin_percent]")?.value.trim();
  if (origin) qualification.origin_percent = Number(origin);
  const price = {
    prices: [...place.querySelectorAll("[data-price]")].map((one) => ({
      lot_item_id: one.dataset.price, price_minor: minorOf(one.value),
    })),
    currency: room.currency,
  };
  return packed(room, qualification, price, [...files.values()]);
}

function packed(room, qualification, price, files) {
  const [first, ...others] = room.envelopes;
  const { format, tender_id, lot_id, tenderer } = room;
  return room.envelopes.map((envelope) => {
    const parts = envelope !== first ? price : others.length ? qualification : { ...qualification, ...price };
    const content = { format, envelope, tender_id, lot_id, tenderer, ...parts };
    const wrong = wrongPlace(room.form, content);
    if (wrong) throw Object.assign(new Error(wrong), { told: "failed", where: wrong });
    const blob = new Blob([JSON.stringify(content)], { type: "application/json" });
    const own = { name: "bid.json", mediaType: "application/json", blob };
    return { name: envelope, files: envelope === first ? [own, ...files] : [own] };
  });
}

