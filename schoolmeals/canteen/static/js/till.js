/* Starts the till: one tab, one queue, one counter, and the row of buttons below. */

import { loadDevice } from "/static/identity/js/enrol.js";
import { loadState, postTaps } from "./api.js";
import { Counter } from "./counter.js";
import { Queue } from "./queue.js";
import { Wedge, cameraReads, readByCamera } from "./reader.js";
import { clockTime, page, part, show } from "./screens.js";
import { Sender } from "./sender.js";
import { isSilent, play, setSilent, wake } from "./sounds.js";

const STATE_EVERY_MS = 15000;
const CLOCK_EVERY_MS = 1000;
const LOCK = "schoolmeals-till";

/* Two tabs would count the same number twice. The lock is held as long as the page is there. */
navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
  if (!lock) return show("stopped", part("screen-second-tab"), { again: () => location.reload() });
  await start();
  await new Promise(() => {});
});

async function start() {
  showClock();
  setInterval(showClock, CLOCK_EVERY_MS);
  const device = await loadDevice();
  if (!device) return show("stopped", part("screen-no-key"));
  const queue = await Queue.open(device.deviceId);
  const counter = new Counter((tap) => sender.take(tap));
  const sender = new Sender(queue, postTaps, {
    answered: (tap, answer) => counter.answered(tap, answer),
    refused: (tap, detail) => counter.unreadable(tap, detail),
    unsent: (count, isCutOff) => counter.waiting(count, isCutOff),
    closed: shiftIsOver,
  });
  const state = await firstState();
  if (state === "closed") return shiftIsOver();
  await queue.countFrom(state.lastSeq);
  counter.learn(state);
  counter.idle();
  new Wedge((number) => counter.tapped({ card_number: number })).listen(document);
  putButtons(counter);
  sender.hurry();
  setInterval(() => refresh(counter, sender), STATE_EVERY_MS);
}

/* Without a first word of the server there is nothing to sell. */
async function firstState() {
  for (;;) {
    try {
      return await loadState();
    } catch {
      show("stopped", part("screen-no-server"));
      await new Promise((resolve) => setTimeout(resolve, STATE_EVERY_MS / 3));
    }
  }
}

async function refresh(counter, sender) {
  try {
    const state = await loadState();
    if (state === "closed") return shiftIsOver();
    counter.learn(state);
    if (counter.isCutOff) sender.hurry();
    else counter.showLink(false);
  } catch {
    counter.showLink(true);
  }
}

/* The server decides what comes instead: the PIN page, or the page that explains how a till is enrolled. */
function shiftIsOver() {
  location.assign(page.till);
}

function putButtons(counter) {
  const button = (id) => document.getElementById(id);
  button("find").onclick = () => counter.find();
  button("last").onclick = () => counter.last();
  button("sound").onclick = () => turnSound(button("sound"));
  button("sound").setAttribute("aria-pressed", String(!isSilent()));
  button("late-read").onclick = () => {
    button("late").querySelector("ul").replaceChildren();
    button("late").hidden = true;
  };
  button("camera").hidden = !cameraReads();
  button("camera").onclick = () => readCode(counter);
  for (const one of document.querySelectorAll(".till-foot button")) one.disabled = false;
  document.addEventListener("pointerdown", wake, { once: true });
}

function turnSound(button) {
  setSilent(!isSilent());
  button.setAttribute("aria-pressed", String(!isSilent()));
  wake();
  play("good");
}

async function readCode(counter) {
  const stop = new AbortController();
  const back = () => {
    stop.abort();
    counter.idle();
  };
  show("camera", part("screen-camera"), { back });
  try {
    const text = await readByCamera(document.getElementById("video"), stop.signal);
    if (text) counter.tapped({ card_number: text });
  } catch {
    show("camera", part("screen-no-camera"), { back });
  }
}

function showClock() {
  document.getElementById("clock").textContent = clockTime(Date.now());
}
