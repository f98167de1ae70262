// The front door of sealing in the browser. Pages import this file only; docs/sealing.md says what the parts are.
//
// Bytes are Uint8Array, contents are Blob (a File is one). Everything that fails because of what was given throws a
// SealingFault with a `code` of docs/sealing.md, and `envelope` and `memberId` where it is about one.

import { newIdentity, newPassphrase, recipientOf } from "./age_keys.js";
import { SealingFault } from "./faults.js";
import { fingerprintOf } from "./key_sets.js";

export { newPassphrase, recipientOf } from "./age_keys.js";
export { SealingFault } from "./faults.js";
export { forgetDraft, forgetSealed, keepSealed, keptSealed, loadDraft, saveDraft } from "./keeping.js";
export { fingerprintOf, keySetBytes, shownFingerprint } from "./key_sets.js";
export { manifestDigest } from "./manifests.js";
export { mayUsePasskey, unwrapByPasskey, wrapByPasskey } from "./member_keys.js";

let worker;
let next = 1;
const waiting = new Map();

// Where the worker's script is; pages with fingerprinted addresses call this first.
let workerAddress = new URL("./sealing_worker.js", import.meta.url);
export function useWorkerAt(address) {
  workerAddress = address;
}

// Seals a bid. `envelopes` is [{ name, files: [{ name, mediaType, blob }] }]; `keySet` and `published` are the canonical
// files; `onProgress({ doneBytes, totalBytes })` is called for each envelope in turn. Answers
// { manifest, manifestSha256, recovery, ciphertexts: { name: Blob } }.
export function sealBid({ keySet, published, envelopes, bidId, bidder, lotIds, replaces = "", onProgress }) {
  return ask("sealBid", { keySet, published, envelopes, bidId, bidder, lotIds, replaces }, onProgress);
}

// A member's part of an opening: the canonical opened share, to be posted to the server.
export function openShare({ manifest, keySet, manifestSha256, envelope, memberId, identity }) {
  return ask("openShare", { manifest, keySet, manifestSha256, envelope, memberId, identity });
}

// Opens an envelope with the opened shares of k members or more. Answers
// { files: [{ name, mediaType, bytes, sha256, blob }], plaintextSha256, setAside: [{ code, envelope, memberId }] }.
export function openEnvelope({ manifest, keySet, manifestSha256, envelope, openedShares, ciphertext }) {
  return ask("openEnvelope", { manifest, keySet, manifestSha256, envelope, openedShares, ciphertext });
}

// The same with what the bidder kept.
export function openWithRecovery({ manifest, keySet, manifestSha256, envelope, recovery, ciphertext }) {
  return ask("openWithRecovery", { manifest, keySet, manifestSha256, envelope, recovery, ciphertext });
}

// A new member key with its key file. Answers { identity, recipient, fingerprint, passphrase, keyFile }; `identity` is
// the private key and stays on this device, `keyFile` is armoured text that `passphrase` opens.
export async function newMemberKey() {
  const identity = newIdentity();
  const recipient = await recipientOf(identity);
  const passphrase = newPassphrase();
  const keyFile = await ask("wrap", { identity, passphrase });
  return { identity, recipient, fingerprint: fingerprintOf(recipient), passphrase, keyFile };
}

export function unwrapKeyFile(keyFile, passphrase) {
  return ask("unwrap", { keyFile, passphrase });
}

function ask(deed, asked, onProgress) {
  worker ??= started();
  const id = next++;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject, onProgress });
    worker.postMessage({ id, deed, asked });
  });
}

function started() {
  const one = new Worker(workerAddress, { type: "module", name: "sealing" });
  one.addEventListener("message", ({ data }) => {
    const asker = waiting.get(data.id);
    if (data.progress) {
      asker.onProgress?.(data.progress);
      return;
    }
    waiting.delete(data.id);
    if (data.fault) asker.reject(new SealingFault(data.fault.code, data.fault));
    else if (data.message) asker.reject(new Error(data.message));
    else asker.resolve(data.answer);
  });
  // A worker that cannot even start would leave everybody waiting.
  one.addEventListener("error", (event) => {
    for (const { reject } of waiting.values()) reject(new Error(event.message || "The worker did not start."));
    waiting.clear();
    worker = undefined;
  });
  return one;
}
