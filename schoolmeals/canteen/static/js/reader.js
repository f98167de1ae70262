/* What reads cards: a reader that acts as a keyboard, and the camera where the browser can read QR codes. */

const FASTEST_HAND_MS = 60;
const SHORTEST_NUMBER = 8;
const LONGEST_NUMBER = 64;
const CAMERA_LOOKS_MS = 250;

/* By the key's place, not by its letter: under a Kazakh or Russian layout a reader's 2 to 0 and A to F are letters. */
const PLACES = { Semicolon: ":", Minus: "-", NumpadSubtract: "-", Period: ".", NumpadDecimal: "." };

/** The character that a reader meant by a key, or undefined. */
export function characterOf(code) {
  return /^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(code)?.[1] ?? PLACES[code];
}

/** Tells a reader from hands: its keys follow each other within 60 ms and end with Enter. */
export class Wedge {
  #text = "";
  #last = -Infinity;

  constructor(onNumber) {
    this.onNumber = onNumber;
  }

  listen(target) {
    target.addEventListener("keydown", (event) => this.key(event), true);
  }

  key(event) {
    const isBurst = event.timeStamp - this.#last < FASTEST_HAND_MS;
    if (event.key === "Shift") return;
    if (event.key === "Enter") {
      const number = isBurst ? this.#text : "";
      this.#text = "";
      if (number.length < SHORTEST_NUMBER) return;
      // Else Enter would also press the button that happens to have the focus, or send a form.
      event.preventDefault();
      event.stopPropagation();
      takeBack(event.target, number.length);
      this.onNumber(number);
      return;
    }
    const character = event.ctrlKey || event.altKey || event.metaKey ? undefined : characterOf(event.code);
    this.#text = character === undefined ? "" : (isBurst ? this.#text : "") + character;
    if (this.#text.length > LONGEST_NUMBER) this.#text = "";
    this.#last = event.timeStamp;
  }
}

/* A reader does not ask where the cursor stands. */
function takeBack(field, count) {
  if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) field.value = field.value.slice(0, -count);
}

export const cameraReads = () => "BarcodeDetector" in window && Boolean(navigator.mediaDevices?.getUserMedia);

/** Show the camera in `video` until it reads a QR code; gives its text, or null when `signal` stops it. */
export async function readByCamera(video, signal) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  try {
    video.srcObject = stream;
    await video.play();
    const detector = new window.BarcodeDetector({ formats: ["qr_code"] });
    while (!signal.aborted) {
      const [found] = await detector.detect(video);
      if (found) return found.rawValue;
      await new Promise((resolve) => setTimeout(resolve, CAMERA_LOOKS_MS));
    }
    return null;
  } finally {
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  }
}
