// The draft of a bid: what is chosen and typed on the page, kept on this device, encrypted (src/keeping.js). Nothing here
// sends anything.

import { forgetDraft, loadDraft, saveDraft } from "../built/sealing.js";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const WAIT_MS = 400;

export class Draft {
  constructor(place, name, tell) {
    this.place = place;
    this.name = name;
    this.tell = tell;
    // Files from this device, by what they are for: [{ for, name, mediaType, sha256 }]; their bytes are drafts of their own.
    this.attached = [];
  }

  controls() {
    return this.place.querySelectorAll("[data-keep]");
  }

  async load() {
    const kept = await loadDraft(this.name);
    if (!kept) return;
    const { values, attached } = JSON.parse(decoder.decode(kept));
    this.attached = attached;
    for (const one of this.controls()) {
      const value = values[one.dataset.keep];
      if (value === undefined) continue;
      if (one.type === "checkbox") one.checked = value;
      else one.value = value;
    }
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), WAIT_MS);
  }

  async save() {
    clearTimeout(this.timer);
    const values = {};
    for (const one of this.controls()) values[one.dataset.keep] = one.type === "checkbox" ? one.checked : one.value;
    try {
      await saveDraft(this.name, encoder.encode(JSON.stringify({ values, attached: this.attached })));
      this.tell("saved");
    } catch {
      this.tell("not-saved");
    }
  }

  async attach(forWhat, file) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const sha256 = await hexOf(bytes);
    if (this.attached.some((one) => one.for === forWhat && one.sha256 === sha256)) return;
    await saveDraft(`${this.name}:${sha256}`, bytes);
    this.attached.push({ for: forWhat, name: fileName(file.name), mediaType: file.type || "application/octet-stream", sha256 });
    await this.save();
  }

  async detach(forWhat, sha256) {
    this.attached = this.attached.filter((one) => one.for !== forWhat || one.sha256 !== sha256);
    if (!this.attached.some((one) => one.sha256 === sha256)) await forgetDraft(`${this.name}:${sha256}`);
    await this.save();
  }

  bytesOf(sha256) {
    return loadDraft(`${this.name}:${sha256}`);
  }
}

export async function hexOf(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (one) => one.toString(16).padStart(2, "0")).join("");
}

// A name that may stand in an envelope.
function fileName(name) {
  const kept = name.replace(/[\x00-\x1f\x7f/\\:]/g, "").replace(/^\.+/, "");
  return kept.length > 100 ? kept.slice(-100) : kept || "paper";
}
