// The room in which a bid is made. What is typed stays on this device, encrypted, until it is sealed; what leaves it is
// sealed. The other parts: bid_draft.js keeps, bid_content.js packs and checks, bid_send.js sends.

import { forgetSealed, keepSealed, keptSealed, loadDraft, saveDraft, sealBid, SealingFault } from "../built/sealing.js";
import { envelopesOf, problemsOf } from "./bid_content.js";
import { Draft } from "./bid_draft.js";
import { Refused, Sender } from "./bid_send.js";

const place = document.getElementById("bid-room");
const find = (selector) => place.querySelector(selector);
const panel = (name) => find(`[data-panel=${name}]`);
const show = (name, is = true) => panel(name)?.toggleAttribute("hidden", !is);
const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));

let room;
let draft;
let sender;
let own;
let sealed;
let pinned;

async function begin() {
  room = await load();
  sender = new Sender(place.dataset, room.tenderer.organisation_id);
  draft = new Draft(place, `bid:${room.tender_id}:${room.lot_id}:${room.tenderer.organisation_id}`, (code) => {
    const line = find("[data-draft]");
    if (line) line.textContent = say(code);
  });
  await showOwn(room.bids);
  if (panel("form")) {
    await draft.load();
    await pinKeys();
    showFiles();
    showStates();
    place.dataset.ready = "yes";
  }
}

async function load() {
  const answer = await fetch(place.dataset.room);
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

function say(code, about = {}) {
  return Object.entries(about).reduce(
    (text, [name, value]) => text.replace(`%(${name})s`, value), room.texts[code] ?? code,
  );
}

// The keys that this device saw first are those that count: a server that later shows others is found out by the sealer.
// Only an amendment may change them, and then the bidder has to say so.
async function pinKeys() {
  const name = `keys:${room.tender_id}`;
  const kept = await loadDraft(name);
  pinned = kept ? JSON.parse(new TextDecoder().decode(kept)) : null;
  if (!pinned) await pin();
  const amended = pinned.keySet !== room.key_set_sha256 && room.version > pinned.version;
  show("keys", amended);
  if (amended) find("[data-keys-told]").textContent = say("keys-amended");
  find("[data-keys]").textContent = room.key_set_sha256;
}

async function pin() {
  pinned = { version: room.version, keySet: room.key_set_sha256, published: room.published };
  await saveDraft(`keys:${room.tender_id}`, new TextEncoder().encode(JSON.stringify(pinned)));
}

async function showOwn(bids, unsent = "interrupted") {
  own = bids.find((one) => one.lot_id === room.lot_id);
  show("own", Boolean(own?.bid_id));
  show("withdrawn", Boolean(own && !own.bid_id));
  show("withdraw", Boolean(own?.bid_id));
  show("replaces", Boolean(own?.bid_id));
  show("confirm", Boolean(own?.bid_id && own.needs_confirmation && panel("form")));
  if (!own?.bid_id) return;
  const made = own.receipts.findLast((one) => one.bid_id === own.bid_id && one.kind === "bid");
  find("[data-own-digest]").textContent = own.manifest_sha256;
  find("[data-own-time]").textContent = made.shown_at;
  find("[data-own-state]").textContent = "";
  await showUpload(unsent);
}

// `unsent`: what to say of files that are here and have not all arrived.
async function showUpload(unsent) {
  const missing = Object.values(own.missing).some((numbers) => numbers.length);
  show("upload", missing);
  if (!missing) {
    find("[data-own-state]").textContent = say("complete");
    await forgetSealed(own.manifest_sha256);
    return;
  }
  const kept = (await keptSealed()).find((one) => one.manifestSha256 === own.manifest_sha256);
  find("[data-do=resume]").disabled = !kept;
  find("[data-upload-state]").textContent = say(kept ? unsent : "elsewhere");
}

async function resume() {
  const kept = (await keptSealed()).find((one) => one.manifestSha256 === own.manifest_sha256);
  if (!kept) return;
  const bar = find("[data-upload]");
  const state = find("[data-upload-state]");
  find("[data-do=resume]").disabled = true;
  try {
    await sender.upload({
      bidId: own.bid_id, missing: own.missing, ciphertexts: kept.ciphertexts, partBytes: room.part_bytes,
      tell(done, total) {
        bar.max = total;
        bar.value = done;
        state.textContent = say("uploading", { done, total });
      },
    });
  } catch (error) {
    await showOwn(await sender.own().catch(() => [own]));
    find("[data-upload-state]").textContent = (error instanceof Refused && error.told) || say("interrupted");
    return;
  }
  await showOwn(await sender.own());
}

async function fetchPaper(sha256) {
  const answer = await fetch(place.dataset.evidence.replace(/0$/, sha256));
  return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null;
}

async function seal() {
  const problems = problemsOf(place, room);
  showProblems(problems);
  if (problems.length) return;
  const work = find("[data-work]");
  const typed = find("#notice-digest").value.replace(/\s/g, "").toLowerCase();
  if (typed && typed !== room.key_set_sha256) throw Object.assign(new Error("digest"), { told: "wrong-digest" });
  await draft.save();
  work.textContent = say("fetching");
  const envelopes = await envelopesOf(place, room, draft, fetchPaper);
  work.textContent = say("sealing");
  const bar = find("[data-seal-progress]");
  bar.hidden = false;
  const replaces = own?.bid_id ? own.manifest_sha256 : "";
  sealed = await sealBid({
    keySet: bytes(room.key_set), published: bytes(pinned.published), envelopes, bidId: crypto.randomUUID(),
    bidder: room.tenderer.organisation_id, lotIds: [room.lot_id], replaces,
    onProgress({ doneBytes, totalBytes }) {
      bar.max = totalBytes;
      bar.value = doneBytes;
    },
  });
  sealed.replaces = replaces;
  await keepSealed(sealed);
  bar.hidden = true;
  work.textContent = "";
  const link = find("[data-recovery]");
  link.href = URL.createObjectURL(new Blob([sealed.recovery], { type: "application/json" }));
  link.download = `recovery-${sealed.manifestSha256.slice(0, 8)}.json`;
  show("sealed");
  find("[data-do=submit]").focus();
}

async function submit() {
  find("[data-work]").textContent = say("sending");
  await sender.submit(sealed.manifest, Boolean(sealed.replaces));
  find("[data-work]").textContent = "";
  show("sealed", false);
  await showOwn(await sender.own(), "sending");
  panel("own").scrollIntoView();
  await resume();
}

async function tell(what) {
  await sender.say(what, own.bid_id);
  await showOwn(await sender.own());
  place.scrollIntoView();
}

function showProblems(problems) {
  const box = find("[data-errors]");
  box.hidden = !problems.length;
  box.querySelector("ul").replaceChildren(...problems.map(({ id, code, about }) => {
    const line = document.createElement("li");
    const link = document.createElement("a");
    link.href = `#${id}`;
    link.textContent = sentence(code, about);
    line.append(link);
    return line;
  }));
  for (const one of place.querySelectorAll("[data-price]")) {
    const wrong = problems.find((problem) => problem.id === one.id);
    const line = document.getElementById(`${one.id}-error`);
    if (wrong) one.setAttribute("aria-invalid", "true");
    else one.removeAttribute("aria-invalid");
    line.hidden = !wrong;
    line.textContent = wrong ? sentence(wrong.code, wrong.about) : "";
  }
  if (problems.length) box.focus();
}

const sentence = (code, about) => say(code, about && { ceiling: room.ceilings[about.item] });

function showStates() {
  const problems = problemsOf(place, room);
  for (const part of place.querySelectorAll("[data-part]")) {
    const wrong = problems.some((one) => one.part === part.dataset.part) || lacksStaff(part);
    const touched = [...part.querySelectorAll("[data-keep]")].some((one) => (one.type === "checkbox" ? one.checked : one.value));
    const optional = "optional" in part.dataset;
    const [code, kind] = wrong ? ["open", "care"] : optional && !touched && !hasFiles(part) ? ["optional", "neutral"] : ["done", "good"];
    const state = find(`[data-task=${part.dataset.part}]`);
    state.textContent = say(code);
    state.className = `tag ${kind}`;
  }
}

function lacksStaff(part) {
  let lacks = false;
  for (const one of part.querySelectorAll("[data-post]")) {
    const chosen = [...part.querySelectorAll("[data-choose=staff]:checked")];
    const have = chosen.filter((box) => room.ledger.staff[box.value]?.post === one.dataset.post).length;
    one.textContent = say("staff-missing", { have, need: one.dataset.count, post: one.dataset.name });
    lacks ||= have < Number(one.dataset.count);
  }
  return lacks;
}

const hasFiles = (part) => draft.attached.some((one) => part.querySelector(`[data-files="${one.for}"]`));

function showFiles() {
  for (const list of place.querySelectorAll("[data-files]")) {
    const here = draft.attached.filter((one) => one.for === list.dataset.files);
    const papers = place.querySelectorAll(`[data-paper-for="${list.dataset.files}"]:checked`);
    const named = [...papers].map((one) => {
      const line = document.createElement("li");
      line.textContent = one.dataset.name;
      return line;
    });
    list.replaceChildren(...named, ...here.map(({ name, sha256 }) => {
      const line = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "plain";
      button.textContent = "×";
      button.setAttribute("aria-label", `× ${name}`);
      button.addEventListener("click", () => draft.detach(list.dataset.files, sha256).then(showFiles).then(showStates));
      line.append(name, " ", button);
      return line;
    }));
    list.hidden = !here.length && !named.length;
  }
}

const DEEDS = {
  seal, submit, resume, withdraw: () => tell("withdraw"), confirm: () => tell("confirm"),
  keys: () => pin().then(() => show("keys", false)),
};

function toldOf(error) {
  if (error instanceof SealingFault) {
    const about = { member: room.members[error.memberId] ?? error.memberId, envelope: error.envelope };
    return say(`fault-${error.code}`, about);
  }
  if (error instanceof Refused) return error.told || say("interrupted");
  // A fetch that never came through.
  return error instanceof TypeError ? say("interrupted") : say(error.told ?? "failed");
}

place.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-do]");
  if (!button) return;
  const told = find("[data-told]");
  if (told) told.hidden = true;
  button.disabled = true;
  try {
    await DEEDS[button.dataset.do]();
  } catch (error) {
    const line = told ?? find("[data-own-state]");
    line.hidden = false;
    line.textContent = toldOf(error);
    const work = find("[data-work]");
    if (work) work.textContent = "";
  } finally {
    if (button.dataset.do !== "resume") button.disabled = false;
  }
});

place.addEventListener("input", ({ target }) => {
  if (!target.matches("[data-keep]")) return;
  find("[data-draft]").textContent = say("saving");
  draft.soon();
  show("sealed", false);
  if (target.matches("[data-paper-for]")) showFiles();
  showStates();
});

place.addEventListener("change", async ({ target }) => {
  if (!target.matches("[data-file-for]")) return;
  for (const file of target.files) await draft.attach(target.dataset.fileFor, file);
  target.value = "";
  show("sealed", false);
  showFiles();
  showStates();
});

addEventListener("pagehide", () => {
  if (draft && panel("form")) draft.save();
});
addEventListener("online", () => {
  if (own && panel("upload") && !panel("upload").hidden && !find("[data-do=resume]").disabled) resume();
});

begin();
