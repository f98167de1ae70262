// The worker: does the long work away from the page, which stays usable. sealing.js talks to it.

import { unwrap, wrap } from "./age_keys.js";
import { SealingFault } from "./faults.js";
import { openEnvelope, openShare, openWithRecovery } from "./opener.js";
import { sealBid } from "./sealer.js";

const DEEDS = {
  sealBid,
  openShare,
  openEnvelope,
  openWithRecovery,
  wrap: ({ identity, passphrase }) => wrap(identity, passphrase),
  unwrap: ({ keyFile, passphrase }) => unwrap(keyFile, passphrase),
};

addEventListener("message", async ({ data: { id, deed, asked } }) => {
  try {
    const answer = await DEEDS[deed](asked, (progress) => postMessage({ id, progress }));
    postMessage({ id, answer });
  } catch (error) {
    postMessage({ id, fault: error instanceof SealingFault ? error.plain : null, message: String(error) });
  }
});
