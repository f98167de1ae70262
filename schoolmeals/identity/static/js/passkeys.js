// The browser's side of passkeys: asks our door for a challenge, the device for its answer, and hands that back.

import { fromBase64Url, toBase64Url } from "./base64.js";

const signIn = document.getElementById("passkey-sign-in");
const adding = document.getElementById("passkey-add");

if (window.PublicKeyCredential) {
  if (signIn) offer(signIn, answerSignIn);
  if (adding) offer(adding, answerAdding);
}

// Shows a place of the page and does `deed` when its button is pressed. What goes wrong is told beside the button.
function offer(place, deed) {
  const button = place.querySelector("button");
  const told = place.querySelector("[role=alert]");
  place.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    told.hidden = true;
    try {
      location.assign(await deed(place));
    } catch (error) {
      // Somebody who closed the device's own window knows why nothing happened.
      if (error.name !== "NotAllowedError") console.warn(error);
      told.textContent = error.told || place.dataset.failed;
      told.hidden = false;
      button.disabled = false;
    }
  });
}

async function answerSignIn(place) {
  const options = await post(place, place.dataset.options, {});
  const credential = await navigator.credentials.get({
    publicKey: { ...options, challenge: fromBase64Url(options.challenge), allowCredentials: [] },
  });
  const { response } = credential;
  const answer = await post(place, place.dataset.answer, {
    next: place.dataset.next,
    credential: written(credential, {
      authenticatorData: toBase64Url(response.authenticatorData),
      signature: toBase64Url(response.signature),
      userHandle: response.userHandle ? toBase64Url(response.userHandle) : null,
    }),
  });
  return answer.next;
}

async function answerAdding(place) {
  const options = await post(place, place.dataset.options, {});
  const credential = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: fromBase64Url(options.challenge),
      user: { ...options.user, id: fromBase64Url(options.user.id) },
      excludeCredentials: options.excludeCredentials.map((one) => ({ ...one, id: fromBase64Url(one.id) })),
    },
  });
  const { response } = credential;
  const answer = await post(place, place.dataset.answer, {
    name: place.querySelector("input").value,
    credential: written(credential, {
      attestationObject: toBase64Url(response.attestationObject),
      transports: response.getTransports ? response.getTransports() : [],
    }),
  });
  return answer.next;
}

function written(credential, response) {
  return {
    id: credential.id,
    rawId: toBase64Url(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: { clientDataJSON: toBase64Url(credential.response.clientDataJSON), ...response },
  };
}

async function post(place, address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": place.dataset.csrf },
    body: JSON.stringify(body),
  });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(told.code || answer.status), { told: told.detail });
  return told;
}
