/* The counter: which screen follows which. It shows what the server has answered and decides nothing by itself. */

import { undoSale } from "./api.js";
import { find } from "./finding.js";
import { newId } from "./ids.js";
import { SHOWN, showLast } from "./last.js";
import { QueueFull } from "./queue.js";
import { part, say, show, showLink, words } from "./screens.js";
import { play, wake } from "./sounds.js";
import { Tray } from "./tray.js";
import { kindOf, showVerdict } from "./verdict.js";

const OK_STAYS_MS = 2500;
const WAIT_SHOWS_AFTER_MS = 150;
/* An answer that took longer belongs to a child who has long gone on. */
const LONGEST_WAIT_MS = 60000;

export class Counter {
  #tray = new Tray();
  #sales = [];
  #state = null;
  #chosenSitting = null;
  /* The tap whose answer belongs on the screen. */
  #awaited = null;
  #waitsForDecision = false;
  #isCutOff = false;
  #unsent = 0;
  #timer = 0;

  constructor(send) {
    /** Sends a tap; throws QueueFull. */
    this.send = send;
  }

  get isCutOff() {
    return this.#isCutOff;
  }

  /** The server's own word on sittings, menu, counts and sales. */
  learn(state) {
    this.#state = state;
    this.#sales = state.sales;
    this.#tray.offer(this.#sitting);
    if (this.#screen === "idle" && !this.#awaited) this.idle();
  }

  /** How many taps wait, and whether the last try to send them found no server. */
  waiting(count, isCutOff) {
    this.#unsent = count;
    this.#isCutOff = isCutOff;
    this.showLink(isCutOff);
    if (!isCutOff || !this.#awaited) return;
    clearTimeout(this.#timer);
    show("kept", part("screen-kept"), { next: () => this.#next() });
    say(words("kept"));
  }

  showLink(isAway) {
    showLink(isAway ? "away" : "connected", this.#unsent);
  }

  get #screen() {
    return document.getElementById("main").dataset.screen;
  }

  get #sitting() {
    const sittings = this.#state.sittings;
    const chosen = sittings.find((one) => one.id === this.#chosenSitting);
    return chosen ?? sittings.find((one) => one.isOpen) ?? sittings[0] ?? null;
  }

  // Idle, with the tray

  idle() {
    clearTimeout(this.#timer);
    this.#awaited = null;
    this.#waitsForDecision = false;
    const { sittings } = this.#state;
    const sitting = this.#sitting;
    if (!sitting) return show("idle", part("screen-no-sitting"));
    const isSelling = sitting.hasSetMeal || sitting.items.length > 0;
    const screen = part("screen-idle", {
      sitting: sitting.name,
      hours: `${sitting.opensAt}–${sitting.closesAt}`,
      count: String(sitting.count),
      closed: sitting.isOpen ? null : words("not-open-now"),
      sittings: sittings.length > 1 ? sittings.map((one) => this.#sittingButton(one)) : null,
      tray: isSelling ? this.#tray.drawn() : words("no-menu"),
    });
    show("idle", screen, {
      "set-meal": () => this.#change(() => this.#tray.turnSetMeal()),
      add: (button) => this.#change(() => this.#tray.add(button.dataset.item, 1)),
      less: (button) => this.#change(() => this.#tray.add(button.dataset.item, -1)),
      sitting: (button) => this.#change(() => this.#choose(button.dataset.sitting)),
    });
  }

  #change(deed) {
    const { do: pressed, item, sitting } = document.activeElement?.dataset ?? {};
    deed();
    this.idle();
    const mark = item ? `[data-item="${item}"]` : sitting ? `[data-sitting="${sitting}"]` : "";
    if (pressed) document.querySelector(`[data-do="${pressed}"]${mark}:not([hidden])`)?.focus();
  }

  #choose(id) {
    this.#chosenSitting = id;
    this.#tray.offer(this.#sitting);
  }

  #sittingButton(sitting) {
    const drawn = part("part-sitting", { name: sitting.name, count: String(sitting.count) });
    const button = drawn.querySelector("button");
    button.dataset.sitting = sitting.id;
    button.setAttribute("aria-pressed", String(sitting === this.#sitting));
    return drawn;
  }

  #next() {
    this.#tray.clear();
    this.idle();
  }

  // A tap and its answer

  /** Somebody's card was read, or they were found: `who` is `{card_number}` or `{pupil_id}`. */
  async tapped(who, decisions = [], bought = null) {
    wake();
    // An allergy must not vanish because the next child is impatient; nor may a tap overtake one that is under way.
    if (this.#waitsForDecision || (this.#awaited && !this.#isCutOff) || !this.#sitting) return;
    if (!bought && this.#tray.isEmpty) return this.#refuse("empty-tray");
    clearTimeout(this.#timer);
    const tap = { id: newId(), tapped_at: new Date().toISOString(), ...(bought ?? this.#tray.order), ...who, decisions };
    this.#awaited = tap;
    this.#timer = setTimeout(() => this.#awaited === tap && show("pause", part("screen-wait")), WAIT_SHOWS_AFTER_MS);
    try {
      await this.send(tap);
    } catch (error) {
      if (!(error instanceof QueueFull)) throw error;
      this.#refuse("queue-full");
    }
  }

  /* Nothing was sent. */
  #refuse(reason) {
    this.idle();
    this.#loud(words(reason));
  }

  #loud(sentence) {
    const place = document.getElementById("loud");
    place.textContent = sentence;
    place.hidden = false;
    play("bad");
    setTimeout(() => (place.hidden = true), 2 * OK_STAYS_MS);
  }

  answered(tap, answer) {
    this.#remember(tap, answer);
    const isAwaited = this.#awaited?.id === tap.id && Date.now() - Date.parse(tap.tapped_at) < LONGEST_WAIT_MS;
    if (!isAwaited) return this.#late(answer);
    clearTimeout(this.#timer);
    this.#awaited = null;
    this.#verdict(tap, answer);
  }

  /** The server could not read the tap at all. */
  unreadable(tap, detail) {
    const isAwaited = this.#awaited?.id === tap.id;
    if (isAwaited) this.idle();
    this.#loud(detail);
  }

  #verdict(tap, answer) {
    const isServed = answer.verdict === "served";
    const again = orderAgain(tap, answer, this.#sitting);
    if (isServed) this.#tray.clear();
    const deeds = {
      next: () => this.#next(),
      findByName: () => this.find(),
      decide: (code, reason) => this.#decide(tap, { code, reason }, again),
    };
    const { kind, waitsForDecision } = showVerdict(answer, deeds, {
      cashier: this.#state.cashierName,
      isOffice: this.#state.isOffice,
      canDecide: again !== null && !tap.decisions.some((one) => one.code === answer.code),
      items: isServed ? this.#inWords(answer.items) : "",
    });
    this.#waitsForDecision = waitsForDecision;
    if (kind === "good") this.#timer = setTimeout(() => this.idle(), OK_STAYS_MS);
  }

  #decide(tap, decision, bought) {
    this.#waitsForDecision = false;
    const who = tap.pupil_id ? { pupil_id: tap.pupil_id } : { card_number: tap.card_number };
    this.tapped(who, [...tap.decisions, decision], bought);
  }

  #inWords(items) {
    const names = new Map(this.#state.sittings.flatMap((one) => one.lines.map((line) => [line.id, line.name])));
    return items
      .filter((one) => names.has(one.menu_item_id))
      .map((one) => names.get(one.menu_item_id) + (one.quantity > 1 ? ` × ${one.quantity}` : ""))
      .join(" · ");
  }

  #remember(tap, answer) {
    if (answer.verdict !== "served" || answer.replayed) return;
    const sitting = this.#state.sittings.find((one) => one.id === tap.sitting_id);
    if (sitting && answer.items.some((one) => one.is_set_meal)) sitting.count += 1;
    const { name = "", class_name: className = "" } = answer.pupil ?? {};
    const sale = { id: answer.tap_id, name, className, recordedAt: answer.recorded_at, isUndone: false };
    this.#sales = [sale, ...this.#sales].slice(0, SHOWN);
  }

  /* Nobody stands there for this answer any more, but what was not served must be read by somebody. */
  #late(answer) {
    if (kindOf(answer) === "good") return;
    const place = document.getElementById("late");
    const name = answer.pupil?.name ?? words("unknown-card");
    place.querySelector("ul").append(part("part-late", { name, says: answer.sentence }));
    place.hidden = false;
    play("care");
  }

  // The ways round

  find() {
    if (this.#waitsForDecision || this.#awaited) return;
    clearTimeout(this.#timer);
    find({
      choose: (pupilId) => this.tapped({ pupil_id: pupilId }),
      number: (text) => this.tapped({ card_number: text }),
      back: () => this.idle(),
    });
  }

  last() {
    if (this.#waitsForDecision || this.#awaited) return;
    clearTimeout(this.#timer);
    showLast(this.#sales, { undo: undoSale, back: () => this.idle() });
  }
}

/* The same order once more, with a decision; after an intolerance without what the child does not bear, for only the
   set meal may be served all the same. Null: no decision helps. */
function orderAgain({ sitting_id, wants_set_meal, items }, answer, sitting) {
  if (answer.code !== "A41") return { sitting_id, wants_set_meal, items };
  if (!wants_set_meal) return null;
  const holds = (id) => {
    const line = sitting.lines.find((one) => one.id === id);
    return !line || line.allergens.some((one) => answer.allergens.includes(one));
  };
  return { sitting_id, wants_set_meal, items: items.filter((one) => !holds(one.menu_item_id)) };
}
