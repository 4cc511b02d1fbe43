import QRCode from "qrcode";
import { deployments, formatAmount } from "@carepact/sdk";
import { checkPickup, confirmPickup, isPickupFor, pickupAnswer, readPickupRequest } from "@carepact/sdk/oracles";
import { createPasskey, passkeySigner } from "@carepact/sdk/signers";

// The deployment that this page is for. A request for any other is refused.
const deployment = deployments[31337];
const escrow = { chainId: deployment.chainId, escrow: deployment.claimEscrow };

const STORE = "pickup-keys";
const $ = (id) => document.getElementById(id);
const storedKeys = () => JSON.parse(window.localStorage.getItem(STORE) ?? "[]");
const signerOf = ({ passkey }) =>
  passkeySigner(passkey, { verifier: deployment.webAuthnOriginVerifier, origin: location.origin });

const reasons = {
  malformed: "This code cannot be read. Ask the pharmacy to show it once more.",
  otherEscrow: "This code is for another place than this page.",
  otherBatch: "This code was changed. Do not go on; ask the pharmacy for a new one.",
  otherLines: "This code asks you to confirm more than your own order. Do not go on; ask the pharmacy for a new one.",
  otherKey: "This code is for another key than those on this device.",
  expired: "This code is too old. Ask the pharmacy for a new one.",
  future: "The clocks of this device and of the pharmacy are too far apart.",
};

const words = (thrown) => {
  if (thrown.code === "USER_REJECTED") return "The key was not used. You can try again.";
  if (thrown.code === "PASSKEY_UNAVAILABLE") return "This browser cannot do it. Try another one on this device.";
  return reasons[thrown.details?.reason] ?? "That did not work. Ask the pharmacy for a new code.";
};

/** Does one step, and says in plain words if it failed. */
async function step(work) {
  $("message").textContent = "";
  try {
    await work();
  } catch (thrown) {
    $("message").textContent = words(thrown);
    $("message").dataset.reason = thrown.details?.reason ?? thrown.code ?? String(thrown);
  }
}

const show = (id) => ["make", "confirm", "answer"].forEach((other) => ($(other).hidden = other !== id));

async function makeKey(label) {
  // The device's vendor keeps this name with the passkey: it tells when, and nothing of what.
  const user = `Pick-up key of ${new Date().toISOString().slice(0, 16)}`;
  const passkey = await createPasskey({ application: "Pick-ups", user, origin: location.origin });
  const key = { passkey, label };
  window.localStorage.setItem(STORE, JSON.stringify([...storedKeys(), key]));
  $("signer").value = signerOf(key).signer;
  $("made").hidden = false;
  $("signer").focus();
}

function ask() {
  const request = readPickupRequest(location.href);
  const key = storedKeys().find((one) => isPickupFor(request, signerOf(one).signer));
  if (key === undefined) throw Object.assign(new Error(), { details: { reason: "otherKey" } });
  const lines = checkPickup(request, signerOf(key).signer, { escrow }).map(({ result, amount }) => {
    const item = document.createElement("li");
    const paid = amount === undefined ? "" : `: ${formatAmount(amount, request.token)} ${request.token.symbol}`;
    item.textContent = result === "met" ? `${key.label}, all of it${paid}` : `${key.label}, a part of it${paid}`;
    return item;
  });
  $("lines").replaceChildren(...lines);
  $("who").textContent = `Asked on ${new Date(request.statement.observedAt * 1000).toLocaleString()}`;
  show("confirm");
  $("yes").onclick = () => step(() => confirm(request, key));
}

async function confirm(request, key) {
  const answer = pickupAnswer(request, await confirmPickup(request, signerOf(key), { escrow }));
  const svg = await QRCode.toString(answer, { type: "svg", errorCorrectionLevel: "L" });
  $("code").src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  $("text").value = answer;
  show("answer");
  $("text").focus();
}

function start() {
  show(undefined);
  if (location.hash === "") show("make");
  else step(ask);
}

document.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  step(() => makeKey($("label").value));
});
window.addEventListener("hashchange", start);
start();
