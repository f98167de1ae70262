/* One sound for each verdict, told apart with closed eyes: two rising tones, three even ones, one low and long. */

const TONES = {
  good: [[660, 0, 0.09], [990, 0.1, 0.14]],
  care: [[520, 0, 0.12], [520, 0.18, 0.12], [520, 0.36, 0.12]],
  bad: [[180, 0, 0.5]],
};
const LOUDNESS = 0.25;
const KEPT_AS = "till-is-silent";

let context = null;
let silent = localStorage.getItem(KEPT_AS) === "yes";

export const isSilent = () => silent;

export function setSilent(wanted) {
  silent = wanted;
  localStorage.setItem(KEPT_AS, wanted ? "yes" : "no");
}

/** Browsers let a page sound only after somebody has touched it or pressed a key. */
export function wake() {
  if (!silent && "AudioContext" in window) {
    context ??= new AudioContext();
    if (context.state === "suspended") context.resume().catch(() => {});
  }
}

export function play(kind) {
  document.documentElement.dataset.sound = silent ? "" : kind;
  if (silent || context?.state !== "running") return;
  for (const [hertz, after, lasts] of TONES[kind]) tone(hertz, context.currentTime + after, lasts);
}

function tone(hertz, from, lasts) {
  const voice = context.createOscillator();
  const volume = context.createGain();
  voice.frequency.value = hertz;
  voice.type = hertz < 300 ? "square" : "sine";
  volume.gain.setValueAtTime(LOUDNESS, from);
  volume.gain.exponentialRampToValueAtTime(0.001, from + lasts);
  voice.connect(volume).connect(context.destination);
  voice.start(from);
  voice.stop(from + lasts);
}
