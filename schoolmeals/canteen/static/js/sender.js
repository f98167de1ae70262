/* Sends taps, signed, one request at a time and in the order of their taking; after a network error again, with the same
   ids, so that nothing is sold twice. Only an answer of the server takes a tap out of the queue. */

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15000;

export class Sender {
  #pause = 0;
  #running = false;
  #timer = 0;

  /** `post(taps)` gives `{kind: "answers" | "refused" | "closed", answers, detail}` and throws where nothing came back.
      `told` has the methods `answered(tap, answer)`, `unsent(count, isCutOff)`, `refused(tap, detail)`, `closed()`. */
  constructor(queue, post, told) {
    this.queue = queue;
    this.post = post;
    this.told = told;
    window.addEventListener("online", () => this.hurry());
  }

  /** Keep the tap and send it. Throws QueueFull. */
  async take(tap) {
    const kept = await this.queue.add(tap);
    this.hurry();
    return kept;
  }

  /** Try now, whatever pause was meant. */
  hurry() {
    clearTimeout(this.#timer);
    this.#run();
  }

  async #run() {
    if (this.#running) return;
    this.#running = true;
    try {
      for (let taps = await this.queue.all(); taps.length; taps = await this.queue.all()) {
        const isDone = await this.#send(taps);
        if (!isDone) return;
      }
      this.told.unsent(0, false);
    } finally {
      this.#running = false;
    }
  }

  /* Whether to go on with what is still there. */
  async #send(taps) {
    let result;
    try {
      result = await this.post(taps);
    } catch {
      return this.#wait(taps.length);
    }
    this.#pause = 0;
    if (result.kind === "closed") {
      this.told.unsent(taps.length, false);
      this.told.closed();
      return false;
    }
    // One tap that cannot be read must not hold up the others: each is sent on its own.
    if (result.kind === "refused" && taps.length > 1) return this.#sendEach(taps);
    await this.#settle(taps, result);
    return true;
  }

  async #sendEach(taps) {
    for (const tap of taps) if (!(await this.#send([tap]))) return false;
    return true;
  }

  async #settle(taps, result) {
    if (result.kind === "refused") {
      await this.queue.settle([taps[0].seq]);
      this.told.refused(taps[0], result.detail);
    } else {
      const bySent = new Map(taps.map((tap) => [tap.id, tap]));
      const answered = result.answers.filter((answer) => bySent.has(answer.tap_id));
      await this.queue.settle(answered.map((answer) => bySent.get(answer.tap_id).seq));
      for (const answer of answered) this.told.answered(bySent.get(answer.tap_id), answer);
      if (!answered.length) throw new Error("an answer without our taps");
    }
    this.told.unsent(await this.queue.count(), false);
  }

  #wait(count) {
    this.told.unsent(count, true);
    this.#pause = Math.min(LONGEST_PAUSE_MS, this.#pause * 2 || FIRST_PAUSE_MS);
    // Not all tills of a city at the same moment.
    this.#timer = setTimeout(() => this.#run(), this.#pause * (0.75 + Math.random() / 2));
    return false;
  }
}
