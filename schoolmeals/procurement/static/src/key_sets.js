// The commission's public keys, and what the notice says about them.

import {
  DOMAINS, canonical, digest, exactly, isCount, isFormat, isHash, isList, isName, isObject, isRecipient, parse,
} from "./canonical.js";
import { SealingFault } from "./faults.js";

const MEMBERS_MAX = 9;
const PUBLISHED_FORMAT = "bid-published-keys/v1";

export function fingerprintOf(recipient) {
  return digest(DOMAINS.memberKey, new TextEncoder().encode(recipient));
}

// The first 128 bits in eight groups, to be compared by people.
export function shownFingerprint(fingerprint) {
  return fingerprint.slice(0, 32).match(/.{4}/g).join(" ");
}

// The canonical file of a key set: {tenderId, k, members: [{id, recipient}]}.
export function keySetBytes({ tenderId, k, members }) {
  const listed = members.map(({ id, recipient }) => ({ id, recipient }));
  return canonical({ format: DOMAINS.keys, tender_id: tenderId, k, members: listed });
}

export function readKeySet(data) {
  const value = exactly(parse(data), "keys", {
    format: isFormat(DOMAINS.keys), tender_id: isName, k: isCount, members: isList,
  });
  const members = value.members.map((one) => exactly(one, "keys.members", { id: isName, recipient: isRecipient }));
  const once = ["id", "recipient"].every((name) => new Set(members.map((one) => one[name])).size === members.length);
  if (!once || value.k < 2 || value.k > members.length || members.length > MEMBERS_MAX) {
    throw new SealingFault("wrong-shape", { part: "members" });
  }
  return { tenderId: value.tender_id, k: value.k, n: members.length, members, sha256: digest(DOMAINS.keys, data) };
}

export function readPublishedKeys(data) {
  const value = exactly(parse(data), "published", {
    format: isFormat(PUBLISHED_FORMAT),
    tender_id: isName,
    key_set_sha256: isHash,
    fingerprints: (one) => isObject(one) && Object.keys(one).every(isName) && Object.values(one).every(isHash),
  });
  return { tenderId: value.tender_id, keySetSha256: value.key_set_sha256, fingerprints: value.fingerprints };
}

// Refuses keys that are not the published ones, and names whose key was swapped.
export function requirePublished(keys, published) {
  if (keys.tenderId !== published.tenderId) throw new SealingFault("wrong-tender");
  for (const { id, recipient } of keys.members) {
    const known = published.fingerprints[id];
    if (known !== undefined && known !== fingerprintOf(recipient)) throw new SealingFault("key-swapped", { memberId: id });
  }
  if (keys.sha256 !== published.keySetSha256) throw new SealingFault("key-set-swapped");
}
