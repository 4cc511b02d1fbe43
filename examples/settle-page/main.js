import { BrowserProvider } from "ethers";
import { decodeError, formatAmount, run } from "@carepact/sdk";
import { createClaims } from "@carepact/sdk/claims";
import { createPools } from "@carepact/sdk/pools";

/** A pharmacist's page: it has the claim batch file, the attestations and a wallet, and settles. */
async function settle() {
  const { deployment, token, pharmacy, file, privateKey, rulebook, attester } = JSON.parse(
    decodeURIComponent(location.hash.slice(1)),
  );
  const wallet = new BrowserProvider(window.ethereum);
  const connect = async (account) => ({ runner: await wallet.getSigner(account), deployment });
  const claims = createClaims(await connect(pharmacy));
  const check = await claims.check(file, {
    payee: pharmacy,
    privateKey,
    acceptedRulebooks: [rulebook],
    acceptedTokens: [token.address],
    finality: "latest",
  });
  if (!check.ok) throw new Error(check.reason.message);
  const attestation = await createClaims(await connect(attester)).attest(check.batch, [{ result: "met" }]);
  const { paid } = await run(claims.settle(check.batch, [attestation]));
  const { amount } = await run(createPools(await connect(pharmacy)).payout({ token: token.address }));
  const refused = await run(createPools(await connect(pharmacy)).payout({ token: token.address })).catch(decodeError);
  return { paid: formatAmount(paid, token), paidOut: formatAmount(amount, token), refused: refused.name };
}

const outcome = document.querySelector("#outcome");
settle().then(
  (result) => (outcome.textContent = JSON.stringify(result)),
  (thrown) => (outcome.textContent = JSON.stringify({ error: String(thrown) })),
);
