/* The verdict, over the whole screen. What needs a second decision stays until somebody has decided, by name. */

import { part, say, show, sign, words } from "./screens.js";
import { play } from "./sounds.js";

/* Refusals that a person may overrule, as the rules of the till have them. A40 is for the school office, with a reason. */
const MAY_BE_DECIDED = new Set(["M30", "A40", "A41", "A42", "V53"]);
const ABOUT_FOOD = new Set(["A40", "A41", "A42"]);
const FOR_OFFICE = "A40";

/** good, care or bad: how a verdict looks and sounds. */
export function kindOf(answer) {
  if (answer.verdict !== "served") return MAY_BE_DECIDED.has(answer.code) ? "care" : "bad";
  return answer.warnings.length ? "care" : "good";
}

/** Show `answer`. `deeds` are next(), findByName(), decide(code, reason). `context` tells the cashier's name, whether
    they belong to the school office, whether another decision makes sense, and what was served in words. */
export function showVerdict(answer, deeds, context) {
  const kind = kindOf(answer);
  const isServed = answer.verdict === "served";
  const word = words(isServed ? "served" : kind);
  const sentences = isServed ? answer.warnings.map((one) => one.sentence) : [answer.sentence];
  const screen = part("screen-verdict", {
    name: answer.pupil?.name ?? words("unknown-card"),
    class: answer.pupil?.class_name || null,
    sign: sign(kind),
    says: word,
    items: context.items || null,
    sentences: sentences.length ? sentences.map(paragraph) : null,
    note: answer.pupil?.diet_note || null,
  });
  const face = screen.querySelector(".face");
  if (answer.pupil?.photo_url) face.src = answer.pupil.photo_url;
  const decides = kind === "care" && !isServed && context.canDecide;
  putDecision(screen, answer.code, decides, context);
  screen.querySelector("[data-do=find]").hidden = isServed || decides || Boolean(answer.pupil);
  screen.querySelector("[data-do=next]").hidden = kind === "good" || decides;
  show(`verdict ${kind}`, screen, {
    next: deeds.next,
    find: deeds.findByName,
    refuse: deeds.next,
    decide: (form) => deeds.decide(answer.code, form.elements.reason?.value.trim() ?? ""),
  });
  play(kind);
  say([answer.pupil?.name, word, ...sentences].filter(Boolean).join(". "));
  return { kind, waitsForDecision: decides };
}

function putDecision(screen, code, decides, { cashier, isOffice }) {
  const form = screen.querySelector("[data-submit=decide]");
  form.hidden = !decides;
  if (!decides) return;
  const needsReason = code === FOR_OFFICE;
  const isAllowed = !needsReason || isOffice;
  const reason = form.querySelector("[data-part=reason]");
  if (!needsReason || !isAllowed) reason.remove();
  const serve = form.querySelector("[data-part=serve]");
  if (isAllowed) serve.textContent = words(ABOUT_FOOD.has(code) ? "serve-named" : "serve-all-the-same-named", { cashier });
  else serve.remove();
}

function paragraph(sentence) {
  const line = document.createElement("p");
  line.textContent = sentence;
  return line;
}
