// Keeps the part of the page marked data-live fresh: asks for a small token, and fetches the page only when it changes.
// The server says how long to wait: briefly during sittings, longer otherwise.

const LONGEST_WAIT_MS = 60000;
const live = () => document.querySelector("[data-live]");
let token = live().dataset.token;
let failures = 0;
let timer = 0;

async function fresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) throw new Error("not the page");
  const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
  if (!found) throw new Error("not the page");
  const old = live();
  const open = [...old.querySelectorAll("details")].map((one) => one.open);
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  found.querySelectorAll("details").forEach((one, place) => { one.open = !!open[place]; });
  old.replaceWith(found);
  const same = (one) => one.href === focused.href && one.textContent === focused.textContent;
  if (focused) [...found.querySelectorAll("a, summary")].find(same)?.focus({ preventScroll: true });
  token = found.dataset.token;
}

async function look() {
  let wait = 5000;
  try {
    const answer = await fetch(live().dataset.version);
    if (answer.status === 401 || answer.redirected) return;
    if (!answer.ok) throw new Error(String(answer.status));
    const said = await answer.json();
    if (said.token !== token) await fresh();
    failures = 0;
    wait = said.wait_ms;
  } catch {
    failures += 1;
    wait = Math.min(1000 * 2 ** failures, LONGEST_WAIT_MS);
  }
  schedule(wait);
}

function schedule(wait) {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(look, wait);
}

document.addEventListener("visibilitychange", () => schedule(0));
schedule(Number(live().dataset.wait));
