// What a bidder's browser keeps when it dies: drafts, encrypted by a key that no script can read out, and sealed files
// that have not been uploaded yet. Nothing here leaves the device.

const DATABASE = "schoolmeals-sealing";
const STORES = ["keys", "drafts", "sealed"];

let opened;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => STORES.forEach((name) => request.result.createObjectStore(name));
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function inStore(name, mode, deed) {
  const transaction = (await database()).transaction(name, mode);
  const request = deed(transaction.objectStore(name));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error);
  });
}

// The device's own key. Two tabs may make one at once: `add` keeps the first, and both use that.
async function draftKey() {
  const known = await inStore("keys", "readonly", (store) => store.get("drafts"));
  if (known) return known;
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  await inStore("keys", "readwrite", (store) => store.add(made, "drafts")).catch(() => {});
  return inStore("keys", "readonly", (store) => store.get("drafts"));
}

// Keeps `data` (bytes) under `name`, readable on this device only.
export async function saveDraft(name, data) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const additionalData = new TextEncoder().encode(name);
  const encrypted = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, await draftKey(), data);
  await inStore("drafts", "readwrite", (store) => store.put({ iv, encrypted }, name));
}

// The bytes of a draft, or null where there is none.
export async function loadDraft(name) {
  const kept = await inStore("drafts", "readonly", (store) => store.get(name));
  if (!kept) return null;
  const additionalData = new TextEncoder().encode(name);
  const asked = { name: "AES-GCM", iv: kept.iv, additionalData };
  return new Uint8Array(await crypto.subtle.decrypt(asked, await draftKey(), kept.encrypted));
}

export function forgetDraft(name) {
  return inStore("drafts", "readwrite", (store) => store.delete(name));
}

// Keeps what sealBid answered until it has been uploaded. The recovery file is not kept: its place is with the bidder.
export function keepSealed({ manifest, manifestSha256, ciphertexts }) {
  return inStore("sealed", "readwrite", (store) => store.put({ manifest, manifestSha256, ciphertexts }, manifestSha256));
}

// Every sealed bid that is kept: [{ manifest, manifestSha256, ciphertexts }].
export function keptSealed() {
  return inStore("sealed", "readonly", (store) => store.getAll());
}

export function forgetSealed(manifestSha256) {
  return inStore("sealed", "readwrite", (store) => store.delete(manifestSha256));
}
