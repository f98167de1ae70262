// The manifest: the small part of a sealed bid, and the legal act of submitting it.

import {
  DOMAINS, canonical, digest, equal, exactly, isBase64, isCount, isFormat, isHash, isList, isName, isObject, isText,
  parse,
} from "./canonical.js";
import { SIZE_CLASSES, requireBid } from "./envelopes.js";
import { SealingFault } from "./faults.js";

const MANIFEST_STEP_BYTES = 4_096;
const MANIFEST_MAX_BYTES = 32_768;

// The canonical file, filled up to a multiple of 4 KiB.
export function manifestBytes({ bid, envelopes }) {
  const value = { format: DOMAINS.manifest, bid, envelopes, padding: "" };
  const missing = (MANIFEST_STEP_BYTES - (canonical(value).length % MANIFEST_STEP_BYTES)) % MANIFEST_STEP_BYTES;
  return canonical({ ...value, padding: "0".repeat(missing) });
}

export function manifestDigest(data) {
  return digest(DOMAINS.manifest, data);
}

function readManifest(data) {
  if (data.length > MANIFEST_MAX_BYTES) throw new SealingFault("wrong-shape", { part: "manifest" });
  const manifest = exactly(parse(data), "manifest", {
    format: isFormat(DOMAINS.manifest), bid: isObject, envelopes: isList, padding: isText,
  });
  requireBid(manifest.bid);
  manifest.envelopes.forEach(requireEnvelope);
  const names = manifest.envelopes.map((one) => one.envelope);
  const inOrder = names.length === manifest.bid.envelopes.length && names.every((one, at) => one === manifest.bid.envelopes[at]);
  if (!inOrder || !equal(manifestBytes(manifest), data)) throw new SealingFault("wrong-shape", { part: "manifest" });
  return manifest;
}

function requireEnvelope(value) {
  exactly(value, "envelopes", {
    envelope: isName,
    commitment: isHash,
    ciphertext_sha256: isHash,
    ciphertext_bytes: (size) => SIZE_CLASSES.includes(size),
    shares: isList,
  });
  const isPlace = (place) => isCount(place) && place >= 1 && place <= 255;
  for (const share of value.shares) {
    exactly(share, "envelopes.shares", { member_id: isName, place: isPlace, sha256: isHash, box: isBase64 });
  }
  if (new Set(value.shares.map((share) => share.place)).size !== value.shares.length) {
    throw new SealingFault("wrong-shape", { part: "envelopes.shares.place" });
  }
}

// The very manifest whose digest was logged, sealed to these keys.
export function recordedManifest(data, keys, sha256) {
  if (manifestDigest(data) !== sha256) throw new SealingFault("manifest-changed");
  const manifest = readManifest(data);
  const { bid, envelopes } = manifest;
  if (bid.tender_id !== keys.tenderId) throw new SealingFault("wrong-tender");
  if (bid.key_set_sha256 !== keys.sha256) throw new SealingFault("key-set-swapped");
  for (const { shares } of envelopes) {
    const inOrder = shares.length === keys.n && shares.every((share, at) => share.member_id === keys.members[at].id);
    if (!inOrder) throw new SealingFault("wrong-shape", { part: "envelopes.shares" });
  }
  if (bid.k !== keys.k || bid.n !== keys.n) throw new SealingFault("wrong-shape", { part: "bid.k" });
  return manifest;
}

export function envelopeOf(manifest, name) {
  const found = manifest.envelopes.find((one) => one.envelope === name);
  if (!found) throw new SealingFault("wrong-shape", { part: "envelope" });
  return found;
}

export function shareOf(envelope, memberId) {
  const found = envelope.shares.find((one) => one.member_id === memberId);
  if (!found) throw new SealingFault("wrong-shape", { part: "member_id" });
  return found;
}
