// A till's key. It is made in this browser, cannot be read out of it by anybody, and signs what the till sends.
//
// enrol(address, csrf, code)  makes a key, enrols it with a code, and keeps it: the till's { deviceId, schoolId, name }
// loadDevice()                the till that this browser is, or null
// sign(bytes)                 an ECDSA signature (P-256, SHA-256, r and s) as base64url, for X-Device-Signature

import { toBase64, toBase64Url } from "./base64.js";

const DATABASE = "schoolmeals-till";
const STORE = "device";
const KEY = "this";
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };

let known;

export async function enrol(address, csrf, code) {
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  const publicKey = await crypto.subtle.exportKey("spki", pair.publicKey);
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrf },
    body: JSON.stringify({ code, public_key: toBase64(publicKey) }),
  });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(told.code || answer.status), { told: told.detail });
  const device = { deviceId: told.device_id, schoolId: told.school_id, name: told.name, privateKey: pair.privateKey };
  await inStore("readwrite", (store) => store.put(device, KEY));
  known = device;
  return { deviceId: device.deviceId, schoolId: device.schoolId, name: device.name };
}

export async function loadDevice() {
  known ||= await inStore("readonly", (store) => store.get(KEY));
  return known ? { deviceId: known.deviceId, schoolId: known.schoolId, name: known.name } : null;
}

export async function sign(bytes) {
  if (!(await loadDevice())) throw new Error("this browser is no till");
  return toBase64Url(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, known.privateKey, bytes));
}

function inStore(mode, deed) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction(STORE, mode);
      const request = deed(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error);
    };
  });
}
