// The inside of an envelope: length of the header, header, files, zeros. See docs/sealing.md.

import { sha256 } from "@noble/hashes/sha2.js";
import {
  DOMAINS, canonical, digest, exactly, isCount, isFormat, isHash, isHashOrEmpty, isList, isName, isNames, isObject,
  parse,
} from "./canonical.js";
import { SealingFault } from "./faults.js";

const HEADER_FORMAT = "bid-header/v1";
export const HEADER_MAX_BYTES = 65_536;
export const FILES_MAX = 100;
const CHUNK_BYTES = 65_536;
const TAG_BYTES = 16;
const AGE_HEADER_MAX_BYTES = 1_024;
const KIB = 1_024;
const MIBS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128];
export const SIZE_CLASSES = [128, 256, 512, ...MIBS.map((mib) => mib * 1_024)].map((kib) => kib * KIB);

const isFileName = (value) =>
  typeof value === "string" &&
  /^[^\x00-\x1f\x7f/\\:.][^\x00-\x1f\x7f/\\:]*$/u.test(value) &&
  !/\p{Surrogate}/u.test(value) &&
  new TextEncoder().encode(value).length <= 200;
const isMediaType = (value) => typeof value === "string" && /^[a-z0-9.+-]{1,60}\/[a-z0-9.+-]{1,60}$/.test(value);

// Whose bid it is, for what, sealed to which keys; in the manifest and in every header.
export function requireBid(value) {
  return exactly(value, "bid", {
    tender_id: isName, lot_ids: isNames, bid_id: isName, bidder: isName, envelopes: isNames, key_set_sha256: isHash,
    k: isCount, n: isCount, nonce: isHash, replaces: isHashOrEmpty,
  });
}

export function headerBytes({ bid, envelope, salt, shares, files }) {
  const header = canonical({ format: HEADER_FORMAT, bid, envelope, salt, shares, files });
  readHeader(header);
  return header;
}

export function readHeader(data) {
  const header = exactly(parse(data), "header", {
    format: isFormat(HEADER_FORMAT),
    bid: isObject,
    envelope: isName,
    salt: isHash,
    shares: (value) => isList(value) && value.every(isHash),
    files: (value) => isList(value) && value.length <= FILES_MAX,
  });
  requireBid(header.bid);
  const checks = { name: isFileName, media_type: isMediaType, bytes: isCount, sha256: isHash };
  for (const file of header.files) exactly(file, "header.files", checks);
  if (new Set(header.files.map((file) => file.name.toLowerCase())).size !== header.files.length) {
    throw new SealingFault("wrong-shape", { part: "header.files.name" });
  }
  return header;
}

export function commitmentOf(header, payloadHash) {
  return digest(DOMAINS.commit, sha256(header), payloadHash);
}

export function sizeClass(contentBytes) {
  const fits = (size) => contentBytes <= size - AGE_HEADER_MAX_BYTES - TAG_BYTES * (1 + size / CHUNK_BYTES);
  const size = SIZE_CLASSES.find(fits);
  if (size === undefined) throw new SealingFault("too-large");
  return size;
}

// How long the inside must be for a sealed file of `sealedBytes`, after age's header and its nonce.
export function plaintextBytes(sealedBytes, ageHeaderBytes) {
  return sealedBytes - ageHeaderBytes - TAG_BYTES * (1 + sealedBytes / CHUNK_BYTES);
}

// Four bytes, big-endian.
export function lengthBytes(length) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, length);
  return bytes;
}
