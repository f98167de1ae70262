// A member's key, made in the member's browser for one tender: wrapped by a passkey, and by a passphrase on paper.

import { Decrypter, Encrypter, armor, webauthn } from "age-encryption";
import { SealingFault } from "./faults.js";

// Whether the browser knows passkeys at all; whether this device's can wrap a key is known only when one is made.
export function mayUsePasskey() {
  return Boolean(globalThis.PublicKeyCredential);
}

// Makes a passkey that can wrap keys (WebAuthn's PRF). Throws where the device has none that can: then there is the
// passphrase. Asks the person twice: to make the passkey, and to use it.
export async function wrapByPasskey(identity, keyName) {
  const credential = await webauthn.createCredential({ keyName });
  const encrypter = new Encrypter();
  encrypter.addRecipient(new webauthn.WebAuthnRecipient({ identity: credential }));
  return { credential, file: armor.encode(await encrypter.encrypt(`${identity}\n`)) };
}

export async function unwrapByPasskey({ credential, file }) {
  const decrypter = new Decrypter();
  decrypter.addIdentity(new webauthn.WebAuthnIdentity({ identity: credential }));
  const encrypted = armor.decode(file);
  try {
    return (await decrypter.decrypt(encrypted, "text")).trim();
  } catch (error) {
    // Somebody who closed the device's own window may try again.
    if (error.name === "NotAllowedError") throw error;
    throw new SealingFault("wrong-passphrase");
  }
}
