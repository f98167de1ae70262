/* What the next tap buys: the set meal, unless somebody takes it off, and what has been laid beside it. */

import { money, part, words } from "./screens.js";

const MOST_OF_ONE = 20;

export class Tray {
  #sitting = null;
  #wantsSetMeal = false;
  #quantities = new Map();

  /** Sell what `sitting` offers. What is on the tray stays there, as far as it is still sold. */
  offer(sitting) {
    const isOther = sitting?.id !== this.#sitting?.id;
    this.#sitting = sitting;
    if (isOther) this.clear();
    const sold = new Set(sitting?.items.map((item) => item.id));
    for (const id of this.#quantities.keys()) if (!sold.has(id)) this.#quantities.delete(id);
  }

  clear() {
    this.#wantsSetMeal = Boolean(this.#sitting?.hasSetMeal);
    this.#quantities.clear();
  }

  get isEmpty() {
    return !this.#wantsSetMeal && this.#quantities.size === 0;
  }

  /** The part of an order that says what is bought. */
  get order() {
    return {
      sitting_id: this.#sitting.id,
      wants_set_meal: this.#wantsSetMeal,
      items: [...this.#quantities].map(([menu_item_id, quantity]) => ({ menu_item_id, quantity })),
    };
  }

  turnSetMeal() {
    this.#wantsSetMeal = !this.#wantsSetMeal && this.#sitting.hasSetMeal;
  }

  add(id, count) {
    const quantity = Math.min(MOST_OF_ONE, (this.#quantities.get(id) ?? 0) + count);
    if (quantity > 0) this.#quantities.set(id, quantity);
    else this.#quantities.delete(id);
  }

  /** The buttons of everything that is sold. */
  drawn() {
    const buttons = document.createDocumentFragment();
    if (this.#sitting.hasSetMeal) buttons.append(this.#setMeal());
    for (const item of this.#sitting.items) buttons.append(this.#item(item));
    return buttons;
  }

  #setMeal() {
    const drawn = part("part-set-meal");
    drawn.querySelector("button").setAttribute("aria-pressed", String(this.#wantsSetMeal));
    return drawn;
  }

  #item(item) {
    const quantity = this.#quantities.get(item.id) ?? 0;
    const price = money(item.price_minor);
    const drawn = part("part-item", { name: item.name, price, quantity: quantity ? `× ${quantity}` : "" });
    for (const button of drawn.querySelectorAll("button")) button.dataset.item = item.id;
    drawn.querySelector("[data-do=add]").setAttribute("aria-pressed", String(quantity > 0));
    const less = drawn.querySelector("[data-do=less]");
    less.hidden = quantity === 0;
    less.setAttribute("aria-label", words("one-less", { item: item.name }));
    return drawn;
  }
}
