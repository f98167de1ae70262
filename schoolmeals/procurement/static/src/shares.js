// A secret in n shares, of which k give it back.

import { combine as combineAll, split as splitAll } from "shamir-secret-sharing";
import { DOMAINS, canonical, digest, toHex } from "./canonical.js";

export function split(secret, { k, n }) {
  return splitAll(secret, n, k);
}

export function combine(shares) {
  return combineAll(shares);
}

// The share at `place` of the polynomial that `shares` are on. Adding is XOR here, so that moving all places by `place`
// brings the wanted one to 0, which is where combining looks.
export async function shareAt(place, shares) {
  const known = shares.find((share) => share.at(-1) === place);
  if (known) return known;
  const moved = shares.map((share) => Uint8Array.of(...share.subarray(0, -1), share.at(-1) ^ place));
  return Uint8Array.of(...(await combineAll(moved)), place);
}

export function shareCommitment(share, { tenderId, bidId, envelope, memberId }) {
  const about = { tender_id: tenderId, bid_id: bidId, envelope, member_id: memberId };
  return digest(DOMAINS.share, canonical({ ...about, share: toHex(share) }));
}
