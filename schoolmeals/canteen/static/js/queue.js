/* Taps that the server has not answered yet, and the till's own count of all its taps; both outlive a reload. */

export const MOST_UNSENT = 200;

/** More taps wait than may be sent at once: nothing further is taken in. */
export class QueueFull extends Error {}

export class Queue {
  #database;

  /** One database for each device: a till that was enrolled anew starts its own count. */
  static async open(deviceId) {
    const request = indexedDB.open(`till-${deviceId}`, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("unsent", { keyPath: "seq" });
      request.result.createObjectStore("counted");
    };
    const queue = new Queue();
    queue.#database = await settled(request);
    return queue;
  }

  /** Count the tap and keep it, both or neither; gives it with its `seq`. */
  async add(tap) {
    const transaction = this.#database.transaction(["unsent", "counted"], "readwrite", { durability: "strict" });
    const unsent = transaction.objectStore("unsent");
    const counted = transaction.objectStore("counted");
    if ((await settled(unsent.count())) >= MOST_UNSENT) {
      transaction.abort();
      throw new QueueFull();
    }
    const seq = ((await settled(counted.get("seq"))) ?? 0) + 1;
    counted.put(seq, "seq");
    const kept = { ...tap, seq };
    unsent.add(kept);
    await done(transaction);
    return kept;
  }

  /** Never count again what the server has seen already, e.g. after the browser's data were cleared. */
  async countFrom(seq) {
    const transaction = this.#database.transaction("counted", "readwrite");
    const counted = transaction.objectStore("counted");
    if (((await settled(counted.get("seq"))) ?? 0) < seq) counted.put(seq, "seq");
    await done(transaction);
  }

  /** All unsent taps, in the order of their taking. */
  async all() {
    return settled(this.#database.transaction("unsent").objectStore("unsent").getAll());
  }

  async count() {
    return settled(this.#database.transaction("unsent").objectStore("unsent").count());
  }

  /** Forget taps that were answered. */
  async settle(seqs) {
    const transaction = this.#database.transaction("unsent", "readwrite");
    for (const seq of seqs) transaction.objectStore("unsent").delete(seq);
    await done(transaction);
  }
}

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function done(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
    transaction.onerror = () => reject(transaction.error);
  });
}
