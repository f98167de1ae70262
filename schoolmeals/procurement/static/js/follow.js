// Follows what happens: asks for a small token, and fetches the page anew only where it has changed. A form that
// somebody is about to send stays as it is, and the keyboard's place is kept.

const LONGEST_WAIT_MS = 60000;
const live = () => document.querySelector("[data-live]");
let failures = 0;

async function fresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) throw new Error("not the page");
  const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
  if (!found) throw new Error("not the page");
  const old = live();
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  old.replaceWith(found);
  if (focused) [...found.querySelectorAll("a, button")].find((one) => one.textContent === focused.textContent)?.focus({ preventScroll: true });
  document.dispatchEvent(new CustomEvent("followed"));
}

async function look() {
  let wait = 5000;
  try {
    const answer = await fetch(live().dataset.version);
    if (!answer.ok) throw new Error(String(answer.status));
    const said = await answer.json();
    if (said.token !== live().dataset.token) await fresh();
    failures = 0;
    wait = said.wait_ms;
  } catch {
    failures += 1;
    wait = Math.min(1000 * 2 ** failures, LONGEST_WAIT_MS);
  }
  setTimeout(look, wait);
}

setTimeout(look, 1000);
