// A member's part in an opening: unlocks the member's key, opens each share that waits for it, and hands all in at once.
// The key stays in this page's memory and is gone with it.

import { fingerprintOf, openShare, recipientOf, SealingFault, unwrapByPasskey, unwrapKeyFile } from "../built/sealing.js";

const place = document.getElementById("ceremony");
const told = place.querySelector("[data-told]");
const status = place.querySelector("[data-status]");
const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
const base64 = (data) => btoa(Array.from(data, (one) => String.fromCharCode(one)).join(""));

const UNLOCK = {
  passkey: () => unwrapByPasskey({ credential: place.dataset.credential, file: place.dataset.passkeyFile }),
  async passphrase() {
    const chosen = document.getElementById("key-file")?.files[0];
    const keyFile = place.dataset.keyFile || (chosen && (await chosen.text()));
    if (!keyFile) throw Object.assign(new Error("no key file"), { told: place.dataset.noFile });
    return unwrapKeyFile(keyFile, document.getElementById("passphrase").value);
  },
};

async function open(identity) {
  if (fingerprintOf(await recipientOf(identity)) !== fingerprintOf(place.dataset.recipient)) {
    throw Object.assign(new Error("another key"), { told: place.dataset.other });
  }
  status.textContent = place.dataset.working;
  const answer = await fetch(place.dataset.work);
  if (!answer.ok) throw new Error(String(answer.status));
  const { member_id: memberId, envelopes } = await answer.json();
  const shares = [];
  const unreadable = [];
  for (const { bid_id: bidId, envelope, manifest, manifest_sha256: manifestSha256, key_set: keySet } of envelopes) {
    try {
      const recorded = { manifest: bytes(manifest), keySet: bytes(keySet), manifestSha256 };
      shares.push(base64(await openShare({ ...recorded, envelope, memberId, identity })));
    } catch (error) {
      // A box that this key does not open, or that holds something else, is told as it is; the others go on.
      if (!(error instanceof SealingFault)) throw error;
      unreadable.push({ bid_id: bidId, envelope });
    }
  }
  await handIn({ shares, unreadable });
}

async function handIn(given) {
  const answer = await fetch(place.dataset.address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": place.dataset.csrf },
    body: JSON.stringify(given),
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(said.code), { told: said.detail });
  location.assign(said.next);
}

place.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-do]");
  if (!button) return;
  told.hidden = true;
  button.disabled = true;
  try {
    await open(await UNLOCK[button.dataset.do]());
  } catch (error) {
    status.textContent = "";
    if (error.name === "NotAllowedError") return;
    told.textContent = error instanceof SealingFault ? place.dataset.wrong : error.told || place.dataset.failed;
    told.hidden = false;
  } finally {
    button.disabled = false;
  }
});
