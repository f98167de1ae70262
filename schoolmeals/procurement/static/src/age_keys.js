// age X25519 keys: made from 32 bytes, and kept in a key file that a passphrase opens.

import { Decrypter, Encrypter, armor, identityToRecipient } from "age-encryption";
import { bech32 } from "@scure/base";
import { randomBytes } from "./canonical.js";
import { SealingFault } from "./faults.js";

const PREFIX = "AGE-SECRET-KEY-";
const PASSPHRASE_GROUPS = 6;

export function identityText(secret) {
  return bech32.encodeFromBytes(PREFIX, secret).toUpperCase();
}

export function recipientOf(identity) {
  return identityToRecipient(identity);
}

export async function encryptTo(recipient, data) {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return encrypter.encrypt(data);
}

export async function decryptWith(identity, data) {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return decrypter.decrypt(data);
}

// Six groups of four digits, 79 bits: they can be read, spoken and typed in every language.
export function newPassphrase() {
  return Array.from({ length: PASSPHRASE_GROUPS }, fourDigits).join("-");
}

function fourDigits() {
  // 60000 is the largest multiple of 10000 in 16 bits; above it the remainders would not be equally likely.
  for (;;) {
    const [number] = crypto.getRandomValues(new Uint16Array(1));
    if (number < 60_000) return String(number % 10_000).padStart(4, "0");
  }
}

// A key file that `age -d -i FILE` opens too. Takes about a second.
export async function wrap(identity, passphrase) {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  return armor.encode(await encrypter.encrypt(`${identity}\n`));
}

export async function unwrap(keyFile, passphrase) {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase.trim());
  try {
    return (await decrypter.decrypt(armor.decode(keyFile), "text")).trim();
  } catch {
    throw new SealingFault("wrong-passphrase");
  }
}

export function newIdentity() {
  return identityText(randomBytes(32));
}
