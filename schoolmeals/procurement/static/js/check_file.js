// Whether a file is one of a protocol's. The file never leaves the browser; only its digest is computed.

const place = document.getElementById("check-file");
const input = place.querySelector("input[type=file]");
const papers = place.dataset.papers.split(" ").filter(Boolean);

async function check(file) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  const found = Array.from(hash, (one) => one.toString(16).padStart(2, "0")).join("");
  const kind = found === place.dataset.json ? "json" : papers.includes(found) ? "paper" : "none";
  place.querySelectorAll("[data-found]").forEach((one) => { one.hidden = one.dataset.found !== kind; });
  const shown = place.querySelector("[data-digest]");
  shown.querySelector("code").textContent = found;
  shown.hidden = false;
}

input.addEventListener("change", () => input.files.length && check(input.files[0]));
place.addEventListener("dragover", (event) => event.preventDefault());
place.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length) check(event.dataTransfer.files[0]);
});
