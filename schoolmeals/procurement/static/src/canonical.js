// One way to write each thing (RFC 8785), one domain for each hash, and exact shapes for what is read.

import { sha256 } from "@noble/hashes/sha2.js";
import { SealingFault } from "./faults.js";

export const DOMAINS = {
  commit: "bid-commit/v1",
  keys: "bid-keys/v1",
  manifest: "bid-manifest/v1",
  memberKey: "bid-member-key/v1",
  share: "bid-share/v1",
};

const LONE_SURROGATE = /\p{Surrogate}/u;

// RFC 8785 is what JSON.stringify does, with the names in the order of their UTF-16 units.
export function canonical(value) {
  return new TextEncoder().encode(JSON.stringify(value, sorted));
}

function sorted(name, value) {
  if (typeof value === "string" && LONE_SURROGATE.test(value)) throw new SealingFault("not-canonical");
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, value[key]]));
}

export function parse(data) {
  let value;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data));
  } catch {
    throw new SealingFault("not-canonical");
  }
  if (!equal(canonical(value), data)) throw new SealingFault("not-canonical");
  return value;
}

export function equal(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

export function same(one, other) {
  return equal(canonical(one), canonical(other));
}

export function digest(domain, ...parts) {
  const running = sha256.create().update(new TextEncoder().encode(`${domain}\0`));
  for (const part of parts) running.update(part);
  return toHex(running.digest());
}

// For what is large: the browser's own SHA-256 is some ten times as fast as one in a script, but wants all at once.
export async function sha256Of(data) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromHex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (two) => parseInt(two, 16));
}

export function toBase64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

export function fromBase64(text) {
  return Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
}

export function randomBytes(count) {
  return crypto.getRandomValues(new Uint8Array(count));
}

// `value`, where it has exactly the fields of `checks`, and each is as its check says.
export function exactly(value, part, checks) {
  const names = Object.keys(checks);
  const fits = isObject(value) && Object.keys(value).length === names.length;
  if (!fits || !names.every((name) => Object.hasOwn(value, name))) throw new SealingFault("wrong-shape", { part });
  for (const name of names) {
    if (!checks[name](value[name])) throw new SealingFault("wrong-shape", { part: `${part}.${name}` });
  }
  return value;
}

const matches = (pattern) => (value) => typeof value === "string" && pattern.test(value);

export const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
export const isText = (value) => typeof value === "string";
export const isName = matches(/^[A-Za-z0-9._-]{1,64}$/);
export const isHash = matches(/^[0-9a-f]{64}$/);
export const isHashOrEmpty = (value) => value === "" || isHash(value);
export const isShare = matches(/^[0-9a-f]{66}$/);
export const isRecipient = matches(/^age1[02-9ac-hj-np-z]{58}$/);
export const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
export const isList = (value) => Array.isArray(value) && value.length > 0;
export const isNames = (value) => isList(value) && value.every(isName) && new Set(value).size === value.length;
export const isFormat = (wanted) => (value) => value === wanted;

export function isBase64(value) {
  try {
    return typeof value === "string" && btoa(atob(value)) === value;
  } catch {
    return false;
  }
}
