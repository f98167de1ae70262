/* A till closes only when the server has all its sales: those that wait would be sent by nobody. */

import { loadDevice } from "/static/identity/js/enrol.js";
import { Queue } from "./queue.js";

const form = document.getElementById("close-till");
const button = form.querySelector("button");
const told = document.getElementById("unsent");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  // What cannot be read here can be sent by nobody either.
  const count = await countUnsent().catch(() => 0);
  if (count === 0) return form.submit();
  told.textContent = told.dataset.told.replace("{count}", count);
  told.hidden = false;
});
button.disabled = false;

async function countUnsent() {
  const device = await loadDevice();
  if (!device) return 0;
  const queue = await Queue.open(device.deviceId);
  return queue.count();
}
