import { BrowserProvider } from "ethers";
import QRCode from "qrcode";
import { formatAmount, run } from "@carepact/sdk";
import { createClaims } from "@carepact/sdk/claims";
import { pickupRequest, pickupUrl, readPickupAnswer } from "@carepact/sdk/oracles";

const $ = (id) => document.getElementById(id);

/** A pharmacy's terminal: signs that one line was handed over, asks its patient for the same, and settles with both. */
async function open() {
  const { deployment, token, pharmacy, file, privateKey, rulebook, claimId, signer, page } = JSON.parse(
    decodeURIComponent(location.hash.slice(1)),
  );
  const wallet = new BrowserProvider(window.ethereum);
  const claims = createClaims({ runner: await wallet.getSigner(pharmacy), deployment });
  const check = await claims.check(file, {
    payee: pharmacy,
    privateKey,
    acceptedRulebooks: [rulebook],
    acceptedTokens: [token.address],
    finality: "latest",
  });
  if (!check.ok) throw new Error(check.reason.message);
  const { batch } = check;
  // Nothing is said of other lines: their patients did not stand here.
  const lines = batch.lines.map(({ detail }) => ({ result: detail.claimId === claimId ? "met" : "pending" }));
  const results = batch.groups.map((_, i) => (i === batch.group ? { result: "byLine", lines } : { result: "pending" }));
  const own = await claims.attest(batch, results);
  const request = pickupRequest(batch, own, signer === undefined ? {} : { signer });
  const url = pickupUrl(request, page);
  $("code").src =
    `data:image/svg+xml,${encodeURIComponent(await QRCode.toString(url, { type: "svg", errorCorrectionLevel: "L" }))}`;
  $("link").href = url;

  document.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    const settled = async () => {
      const { paid } = await run(claims.settle(batch, [own, readPickupAnswer($("text").value, request)]));
      return { paid: formatAmount(paid, token) };
    };
    tell(settled());
  });
}

const tell = (outcome) =>
  outcome.then(
    (result) => ($("outcome").textContent = JSON.stringify(result)),
    (thrown) =>
      ($("outcome").textContent = JSON.stringify({
        error: thrown.code ?? String(thrown),
        reason: thrown.details?.reason,
      })),
  );

open().catch((thrown) => tell(Promise.reject(thrown)));
