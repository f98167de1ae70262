// Lets the time that is left run down by the server's clock, whatever the device's says. Without it the page's own
// words stand. Once the time is over the page is asked for anew: then something else can be done.

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
// Browsers often know no Kazakh; it has one form for all numbers.
const KAZAKH = { day: "күн", hour: "сағат", minute: "минут", second: "секунд" };
const shown = document.querySelector("[data-until]");
const until = Date.parse(shown.dataset.until);
const ahead = Date.parse(shown.dataset.now) - Date.now();

function words(seconds) {
  const language = document.documentElement.lang;
  let first = UNITS.findIndex(([, size]) => seconds >= size);
  if (first < 0) first = UNITS.length - 1;
  let rest = seconds;
  const parts = UNITS.map(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest %= size;
    if (language === "kk") return `${count} ${KAZAKH[unit]}`;
    return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(count);
  });
  return parts.slice(first, first + 2).join(" ");
}

function tick() {
  const left = Math.ceil((until - Date.now() - ahead) / 1000);
  if (left < 0) {
    // A moment later, and not everybody at once.
    setTimeout(() => location.reload(), 1000 + Math.random() * 4000);
    return;
  }
  shown.textContent = words(left);
  // Days are no news every second.
  setTimeout(tick, left > 86400 ? 60000 : 1000);
}

tick();
