// Sending a sealed bid: the manifest first, which is the legal act, then the sealed files in pieces, as often as it takes.

const TRIES = 4;
const PIECES_AT_ONCE = 8;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const base64 = (data) => {
  let text = "";
  for (let start = 0; start < data.length; start += 8192) text += String.fromCharCode(...data.subarray(start, start + 8192));
  return btoa(text);
};

export class Refused extends Error {
  constructor(status, { code = "", detail = "" }) {
    super(code || String(status));
    this.status = status;
    this.code = code;
    this.told = detail;
  }
}

async function answered(answer) {
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, said);
  return said;
}

export class Sender {
  constructor({ manifest, part, own, withdraw, confirm, csrf }, organisationId) {
    this.at = { manifest, part, own, withdraw, confirm };
    this.csrf = csrf;
    this.organisationId = organisationId;
  }

  // The same manifest again gives the same receipt, so a lost answer costs nothing.
  submit(manifest, replaces) {
    return this.#post(this.at.manifest, { manifest: base64(manifest), replaces });
  }

  say(what, bidId) {
    return this.#post(this.at[what], { bid_id: bidId, request_id: crypto.randomUUID() });
  }

  async own() {
    const { bids } = await answered(await fetch(`${this.at.own}?organisation_id=${this.organisationId}`));
    return bids;
  }

  // Sends what is missing of the sealed files. `missing` is { envelope: [numbers] }, `ciphertexts` { envelope: Blob };
  // `tell(done, total)` counts pieces. A piece that does not go through is tried again; then what stopped it is thrown.
  async upload({ bidId, missing, ciphertexts, partBytes, tell }) {
    const total = Object.keys(missing).reduce((sum, name) => sum + ciphertexts[name].size / partBytes, 0);
    const left = Object.fromEntries(Object.entries(missing).map(([name, numbers]) => [name, [...numbers]]));
    const count = () => Object.values(left).reduce((sum, numbers) => sum + numbers.length, 0);
    tell(total - count(), total);
    for (const name of Object.keys(left)) {
      for (let turns = 0; left[name].length; turns += 1) {
        const first = left[name][0];
        let length = 1;
        while (length < PIECES_AT_ONCE && left[name][length] === first + length) length += 1;
        const body = ciphertexts[name].slice(first * partBytes, (first + length) * partBytes);
        const { missing: now, fault } = await this.#part(bidId, name, first, body);
        if (fault && turns) throw new Refused(409, { code: fault });
        left[name] = now;
        tell(total - count(), total);
      }
    }
  }

  async #part(bidId, envelope, first, body) {
    const asked = new URLSearchParams({ organisation_id: this.organisationId, bid_id: bidId, envelope, first });
    const headers = { "Content-Type": "application/octet-stream", "X-CSRFToken": this.csrf };
    for (let turn = 1; ; turn += 1) {
      try {
        return await answered(await fetch(`${this.at.part}?${asked}`, { method: "POST", headers, body }));
      } catch (error) {
        const final = error instanceof Refused && error.status < 500;
        if (final || turn === TRIES) throw error;
        await wait(300 * 2 ** turn);
      }
    }
  }

  #post(address, given) {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": this.csrf };
    const body = JSON.stringify({ ...given, organisation_id: this.organisationId });
    return fetch(address, { method: "POST", headers, body }).then(answered);
  }
}
