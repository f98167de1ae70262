// Signs a contract's digest by passkey: our door gives the challenge, the device signs, our door keeps the answer.

import { fromBase64Url, toBase64Url } from "../../identity/js/base64.js";

const place = document.getElementById("sign-contract");

if (!window.PublicKeyCredential) {
  const told = document.getElementById("no-passkeys-here");
  if (told) told.hidden = false;
} else if (place) {
  const button = place.querySelector("button");
  const told = place.querySelector("[role=alert]");
  place.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    told.hidden = true;
    try {
      location.assign(await sign());
    } catch (error) {
      // Somebody who closed the device's own window knows why nothing happened.
      if (error.name !== "NotAllowedError") console.warn(error);
      told.textContent = error.told || place.dataset.failed;
      told.hidden = false;
      button.disabled = false;
    }
  });
}

async function sign() {
  const options = await post(place.dataset.options, {});
  const credential = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: fromBase64Url(options.challenge),
      allowCredentials: options.allowCredentials.map((one) => ({ ...one, id: fromBase64Url(one.id) })),
    },
  });
  const { response } = credential;
  const answer = await post(place.dataset.answer, {
    credential: {
      id: credential.id,
      rawId: toBase64Url(credential.rawId),
      type: credential.type,
      clientExtensionResults: credential.getClientExtensionResults(),
      response: {
        clientDataJSON: toBase64Url(response.clientDataJSON),
        authenticatorData: toBase64Url(response.authenticatorData),
        signature: toBase64Url(response.signature),
        userHandle: response.userHandle ? toBase64Url(response.userHandle) : null,
      },
    },
  });
  return answer.next;
}

async function post(address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": place.dataset.csrf },
    body: JSON.stringify(body),
  });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(told.code || answer.status), { told: told.detail });
  return told;
}
