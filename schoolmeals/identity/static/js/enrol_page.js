// The page on which a device becomes a till.

import { enrol } from "./enrol.js";

const form = document.getElementById("enrol");
const told = form.querySelector("[role=alert]");
const button = form.querySelector("button");

// Until this script is here the form would be sent as a plain one, to a door that does not take it.
if (window.crypto?.subtle && window.indexedDB) button.disabled = false;
else tell(form.dataset.unfit);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  button.disabled = true;
  told.hidden = true;
  try {
    await enrol(location.pathname, form.elements.csrf_token.value, form.elements.code.value);
    location.assign(form.dataset.next);
  } catch (error) {
    tell(error.told || form.dataset.failed);
    button.disabled = false;
  }
});

function tell(sentence) {
  told.textContent = sentence;
  told.hidden = false;
}
