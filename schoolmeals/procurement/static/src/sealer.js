// Sealing: a one-off key for each envelope, split among the members, and forgotten.

import { Encrypter } from "age-encryption";
import { encryptTo, identityText, recipientOf } from "./age_keys.js";
import { DOMAINS, canonical, randomBytes, sha256Of, toBase64, toHex } from "./canonical.js";
import { commitmentOf, headerBytes, lengthBytes, plaintextBytes, requireBid, sizeClass } from "./envelopes.js";
import { SealingFault } from "./faults.js";
import { readKeySet, readPublishedKeys, requirePublished } from "./key_sets.js";
import { manifestBytes, manifestDigest } from "./manifests.js";
import { shareCommitment, split } from "./shares.js";

const RECOVERY_FORMAT = "bid-recovery/v1";
// What has been encrypted is handed to the browser's own store in pieces, so that memory does not grow with the bid.
const PIECE_BYTES = 4 << 20;

// See sealBid in sealing.js for what goes in and comes out.
export async function sealBid(asked, tell = () => {}) {
  const keys = readKeySet(asked.keySet);
  requirePublished(keys, readPublishedKeys(asked.published));
  const bid = requireBid({
    tender_id: keys.tenderId,
    lot_ids: [...asked.lotIds].sort(),
    bid_id: asked.bidId,
    bidder: asked.bidder,
    envelopes: asked.envelopes.map((one) => one.name),
    key_set_sha256: keys.sha256,
    k: keys.k,
    n: keys.n,
    nonce: toHex(randomBytes(32)),
    replaces: asked.replaces ?? "",
  });
  const envelopes = [];
  const ciphertexts = {};
  const identities = {};
  for (const { name, files } of asked.envelopes) {
    const secret = randomBytes(32);
    identities[name] = identityText(secret);
    const { envelope, ciphertext } = await sealEnvelope({ bid, keys, name, files, secret, tell });
    envelopes.push(envelope);
    ciphertexts[name] = ciphertext;
  }
  const manifest = manifestBytes({ bid, envelopes });
  const manifestSha256 = manifestDigest(manifest);
  const kept = { format: RECOVERY_FORMAT, bid_id: bid.bid_id, manifest_sha256: manifestSha256, envelopes: identities };
  return { manifest, manifestSha256, recovery: canonical(kept), ciphertexts };
}

async function sealEnvelope({ bid, keys, name, files, secret, tell }) {
  const about = { tenderId: bid.tender_id, bidId: bid.bid_id, envelope: name };
  const parts = await split(secret, keys);
  const commitments = parts.map((part, at) => shareCommitment(part, { ...about, memberId: keys.members[at].id }));
  const { listed, payloadHash } = await listFiles(files);
  const salt = toHex(randomBytes(32));
  const header = headerBytes({ bid, envelope: name, salt, shares: commitments, files: listed });
  const commitment = commitmentOf(header, payloadHash);
  const sealed = await encrypt(await recipientOf(identityText(secret)), header, files, tell);
  const shares = await Promise.all(
    parts.map(async (part, at) => ({
      member_id: keys.members[at].id,
      place: part.at(-1),
      sha256: commitments[at],
      box: toBase64(await encryptTo(keys.members[at].recipient, box(part, bid, name, commitment, keys.members[at].id))),
    })),
  );
  const hashes = { commitment, ciphertext_sha256: sealed.sha256, ciphertext_bytes: sealed.blob.size };
  return { envelope: { envelope: name, ...hashes, shares }, ciphertext: sealed.blob };
}

function box(share, bid, envelope, commitment, to) {
  const about = { tender_id: bid.tender_id, bid_id: bid.bid_id, envelope, commitment, to };
  return canonical({ format: DOMAINS.share, ...about, share: toHex(share) });
}

// The files as the header lists them, and the hash of all of them together.
async function listFiles(files) {
  const listed = [];
  for (const { name, mediaType, blob } of files) {
    const hash = await sha256Of(await blob.arrayBuffer());
    listed.push({ name, media_type: mediaType, bytes: blob.size, sha256: toHex(hash) });
  }
  const whole = new Blob(files.map((file) => file.blob));
  return { listed, payloadHash: await sha256Of(await whole.arrayBuffer()) };
}

async function* chunks(blob) {
  const reader = blob.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

async function encrypt(recipient, header, files, tell) {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  const contentBytes = 4 + header.length + files.reduce((sum, file) => sum + file.blob.size, 0);
  const size = sizeClass(contentBytes);
  // An empty file is age's header, the nonce and one tag; the header is as long for every file.
  const ageHeaderBytes = (await encrypter.encrypt(new Uint8Array(0))).length - 32;
  const inside = ReadableStream.from ? ReadableStream.from(plaintext()) : streamOf(plaintext());
  const outside = (await encrypter.encrypt(inside)).getReader();
  return collect(outside, size, tell);

  async function* plaintext() {
    yield lengthBytes(header.length);
    yield header;
    for (const { blob } of files) yield* chunks(blob);
    let zeros = plaintextBytes(size, ageHeaderBytes) - contentBytes;
    for (; zeros > 0; zeros -= 65_536) yield new Uint8Array(Math.min(zeros, 65_536));
  }
}

function streamOf(pieces) {
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
}

async function collect(reader, size, tell) {
  const blobs = [];
  let piece = [];
  let pieceBytes = 0;
  let total = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done || pieceBytes >= PIECE_BYTES) {
      blobs.push(new Blob(piece));
      piece = [];
      pieceBytes = 0;
      tell({ doneBytes: total, totalBytes: size });
    }
    if (done) break;
    piece.push(value);
    pieceBytes += value.length;
    total += value.length;
  }
  // A file that changed while it was read would make another size; its hash was taken before.
  if (total !== size) throw new SealingFault("file-changed");
  const blob = new Blob(blobs, { type: "application/octet-stream" });
  return { blob, sha256: toHex(await sha256Of(await blob.arrayBuffer())) };
}
