// Opening: a member opens the own share, anybody combines k of them, and everything committed to is checked.

import { Decrypter } from "age-encryption";
import { decryptWith, identityText } from "./age_keys.js";
import {
  DOMAINS, canonical, exactly, fromBase64, fromHex, isFormat, isHash, isName, isObject, isShare, parse, same, sha256Of,
  toHex,
} from "./canonical.js";
import { HEADER_MAX_BYTES, commitmentOf, readHeader } from "./envelopes.js";
import { SealingFault } from "./faults.js";
import { readKeySet } from "./key_sets.js";
import { envelopeOf, recordedManifest, shareOf } from "./manifests.js";
import { combine, shareAt, shareCommitment } from "./shares.js";

const OPENED_SHARE_FORMAT = "bid-opened-share/v1";
const RECOVERY_FORMAT = "bid-recovery/v1";

function read({ manifest, keySet, manifestSha256 }) {
  return recordedManifest(manifest, readKeySet(keySet), manifestSha256);
}

// A member's part. See openShare in sealing.js.
export async function openShare({ envelope, memberId, identity, ...recorded }) {
  const manifest = read(recorded);
  const sealed = envelopeOf(manifest, envelope);
  const inside = await readBox(shareOf(sealed, memberId), identity).catch(() => {
    throw new SealingFault("share-unreadable", { envelope, memberId });
  });
  const { bid } = manifest;
  const about = { tender_id: bid.tender_id, bid_id: bid.bid_id, envelope };
  const wanted = { ...about, to: memberId };
  if (!Object.keys(wanted).every((name) => inside[name] === wanted[name])) {
    throw new SealingFault("share-unreadable", { envelope, memberId });
  }
  const opened = { format: OPENED_SHARE_FORMAT, ...about, member_id: memberId, share: inside.share };
  requireCommitted(manifest, opened);
  if (inside.commitment !== sealed.commitment) throw new SealingFault("share-changed", { envelope, memberId });
  return canonical(opened);
}

async function readBox(share, identity) {
  return exactly(parse(await decryptWith(identity, fromBase64(share.box))), "box", {
    format: isFormat(DOMAINS.share),
    commitment: isHash,
    share: isShare,
    tender_id: isName,
    bid_id: isName,
    envelope: isName,
    to: isName,
  });
}

function readOpenedShare(data) {
  return exactly(parse(data), "share", {
    format: isFormat(OPENED_SHARE_FORMAT),
    tender_id: isName,
    bid_id: isName,
    envelope: isName,
    member_id: isName,
    share: isShare,
  });
}

function requireCommitted(manifest, opened) {
  const { tender_id: tenderId, bid_id: bidId, envelope, member_id: memberId } = opened;
  const share = fromHex(opened.share);
  const sealed = shareOf(envelopeOf(manifest, envelope), memberId);
  const committed = shareCommitment(share, { tenderId, bidId, envelope, memberId });
  const belongs = tenderId === manifest.bid.tender_id && bidId === manifest.bid.bid_id;
  if (!belongs || committed !== sealed.sha256 || share.at(-1) !== sealed.place) {
    throw new SealingFault("share-changed", { envelope, memberId });
  }
}

// With the shares that members have made public. See openEnvelope in sealing.js.
export async function openEnvelope({ envelope, openedShares, ciphertext, ...recorded }) {
  const manifest = read(recorded);
  const sealed = envelopeOf(manifest, envelope);
  const data = await verified(sealed, ciphertext);
  const { good, setAside } = sortOut(manifest, envelope, openedShares.map(readOpenedShare));
  if (good.length < manifest.bid.k) throw new SealingFault("too-few-shares", { envelope });
  const base = good.slice(0, manifest.bid.k);
  await requireOneSecret(manifest, sealed, base);
  const identity = identityText(await combine(base));
  return { ...(await openWith(manifest, sealed, identity, data)), setAside };
}

// With the file that the bidder kept, where fewer than k members still have their keys.
export async function openWithRecovery({ envelope, recovery, ciphertext, ...recorded }) {
  const manifest = read(recorded);
  const kept = exactly(parse(recovery), "recovery", {
    format: isFormat(RECOVERY_FORMAT), bid_id: isName, manifest_sha256: isHash, envelopes: isObject,
  });
  if (kept.manifest_sha256 !== recorded.manifestSha256) throw new SealingFault("manifest-changed");
  const sealed = envelopeOf(manifest, envelope);
  const data = await verified(sealed, ciphertext);
  return { ...(await openWith(manifest, sealed, kept.envelopes[envelope], data)), setAside: [] };
}

function sortOut(manifest, envelope, opened) {
  const good = new Map();
  const setAside = [];
  for (const one of opened) {
    try {
      if (one.envelope !== envelope) throw new SealingFault("share-changed", { envelope, memberId: one.member_id });
      requireCommitted(manifest, one);
      good.set(one.member_id, fromHex(one.share));
    } catch (fault) {
      if (!(fault instanceof SealingFault)) throw fault;
      setAside.push(fault.plain);
    }
  }
  return { good: [...good.values()], setAside };
}

// All n commitments must be to shares of one polynomial: k good shares say what each of the others has to be.
async function requireOneSecret(manifest, sealed, base) {
  const about = { tenderId: manifest.bid.tender_id, bidId: manifest.bid.bid_id, envelope: sealed.envelope };
  const misfits = [];
  for (const { member_id: memberId, place, sha256: committed } of sealed.shares) {
    const expected = await shareAt(place, base);
    if (shareCommitment(expected, { ...about, memberId }) !== committed) misfits.push(memberId);
  }
  if (misfits.length) throw new SealingFault("shares-crafted", { envelope: sealed.envelope, memberId: misfits.join(", ") });
}

async function verified(sealed, ciphertext) {
  const data = new Uint8Array(await ciphertext.arrayBuffer());
  if (data.length !== sealed.ciphertext_bytes || toHex(await sha256Of(data)) !== sealed.ciphertext_sha256) {
    throw new SealingFault("ciphertext-swapped", { envelope: sealed.envelope });
  }
  return data;
}

async function openWith(manifest, sealed, identity, data) {
  const decrypter = new Decrypter();
  let plain;
  try {
    decrypter.addIdentity(identity);
    plain = await decrypter.decrypt(data);
  } catch {
    throw new SealingFault("key-unfit", { envelope: sealed.envelope });
  }
  return checked(manifest, sealed, plain);
}

async function checked(manifest, sealed, plain) {
  const { envelope } = sealed;
  const length = plain.length < 4 ? Infinity : new DataView(plain.buffer, plain.byteOffset).getUint32(0);
  if (length > HEADER_MAX_BYTES) throw new SealingFault("commitment-broken", { envelope });
  const head = plain.subarray(4, 4 + length);
  const header = checkedHeader(manifest, sealed, head);
  const files = [];
  const start = 4 + length;
  let at = start;
  for (const { name, media_type: mediaType, bytes, sha256: expected } of header.files) {
    const content = plain.subarray(at, at + bytes);
    if (content.length !== bytes || toHex(await sha256Of(content)) !== expected) throw new SealingFault("file-changed", { envelope });
    files.push({ name, mediaType, bytes, sha256: expected, blob: new Blob([content], { type: mediaType }) });
    at += bytes;
  }
  const payloadHash = await sha256Of(plain.subarray(start, at));
  const isCommitted = commitmentOf(head, payloadHash) === sealed.commitment;
  if (!isCommitted || !areZeros(plain, at)) {
    throw new SealingFault("commitment-broken", { envelope });
  }
  return { files, plaintextSha256: toHex(payloadHash) };
}

function areZeros(data, from) {
  for (let at = from; at < data.length; at += 1) if (data[at] !== 0) return false;
  return true;
}

function checkedHeader(manifest, sealed, head) {
  const changed = new SealingFault("header-changed", { envelope: sealed.envelope });
  let header;
  try {
    header = readHeader(head);
  } catch {
    throw changed;
  }
  const committed = sealed.shares.map((share) => share.sha256);
  if (header.envelope !== sealed.envelope || !same(header.bid, manifest.bid) || !same(header.shares, committed)) throw changed;
  return header;
}
