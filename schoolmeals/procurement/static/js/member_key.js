// A member makes the key for one tender, writes the passphrase down, proves that the paper opens the key, and only then
// publishes the public half. What leaves the browser is the public key and the wrapped files.

import { fingerprintOf, mayUsePasskey, newMemberKey, recipientOf, SealingFault, unwrapByPasskey, unwrapKeyFile, wrapByPasskey } from "../built/sealing.js";

const place = document.getElementById("member-key");
const told = place.querySelector("[data-told]");
const busy = place.querySelector("[data-busy]");
const step = (name) => place.querySelector(`[data-step=${name}]`);
let made = null;
let passkey = null;

const DEEDS = {
  async make() {
    made = await newMemberKey();
    passkey = null;
    place.querySelector("[data-passphrase]").replaceChildren(...inGroups(made.passphrase));
    const link = place.querySelector("[data-download]");
    link.href = URL.createObjectURL(new Blob([made.keyFile], { type: "text/plain" }));
    link.download = place.dataset.file;
    place.querySelector("[data-do=passkey]").hidden = !mayUsePasskey();
    place.querySelector("[data-passkey-made]").hidden = true;
    step("make").hidden = true;
    step("rehearse").hidden = true;
    step("write").hidden = false;
    step("write").querySelector("h3").scrollIntoView({ block: "nearest" });
  },
  async passkey(button) {
    try {
      passkey = await wrapByPasskey(made.identity, place.dataset.name);
    } catch (error) {
      if (error.name === "NotAllowedError") return;
      say(place.dataset.noPasskey);
      button.hidden = true;
      return;
    }
    button.hidden = true;
    place.querySelector("[data-passkey-made]").hidden = false;
  },
  written() {
    // Out of sight: what is typed next must come from the paper.
    step("write").hidden = true;
    step("rehearse").hidden = false;
    document.getElementById("passphrase").focus();
  },
  async publish() {
    const typed = document.getElementById("passphrase").value;
    const opened = await unwrapKeyFile(made.keyFile, typed);
    if (opened !== made.identity) throw new SealingFault("wrong-passphrase");
    const answer = await fetch(place.dataset.address, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": place.dataset.csrf },
      body: JSON.stringify({ recipient: made.recipient, key_file: made.keyFile, passkey }),
    });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw Object.assign(new Error(said.code), { told: said.detail });
    location.assign(said.next);
  },
  async "try-passphrase"() {
    const kept = place.querySelector("[data-try]").dataset;
    await requireOwn(await unwrapKeyFile(kept.keyFile, document.getElementById("try-passphrase").value));
  },
  async "try-passkey"() {
    const kept = place.querySelector("[data-try]").dataset;
    await requireOwn(await unwrapByPasskey({ credential: kept.credential, file: kept.passkeyFile }));
  },
};

// On a narrow screen a passphrase breaks between its groups.
function inGroups(passphrase) {
  return passphrase.split("-").flatMap((group, nth) => (nth ? ["-", document.createElement("wbr"), group] : [group]));
}

// The published key must be the one that was opened, not merely some key.
async function requireOwn(identity) {
  const published = place.querySelector("[data-try]").dataset.recipient;
  if (fingerprintOf(await recipientOf(identity)) !== fingerprintOf(published)) throw new SealingFault("wrong-passphrase");
  place.querySelector("[data-tried]").hidden = false;
}

function say(text) {
  told.textContent = text;
  told.hidden = !text;
}

place.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-do]");
  if (!button) return;
  say("");
  button.disabled = true;
  busy.hidden = false;
  try {
    await DEEDS[button.dataset.do](button);
  } catch (error) {
    if (error.name === "NotAllowedError") return;
    if (!(error instanceof SealingFault || error.told)) console.warn(error);
    say(error instanceof SealingFault ? place.dataset.wrong : error.told || place.dataset.failed);
  } finally {
    button.disabled = false;
    busy.hidden = true;
  }
});
