import { Interface, dataSlice, type Provider } from "ethers";

import { isSignatureOf } from "../../access/signatures";
import { decodeError } from "../../chain/decodeError";
import { providerOf, type Connection } from "../../chain/deployment";
import type { ErrorCode } from "../../errors";
import { Rulebooks__factory } from "../../generated";
import { attestersOf } from "../../rulebooks/build";
import { attestationMessageOf, type Attestation } from "../attestation";
import type { PublicPart } from "../file";

import { digestFor, type SignatureKnowledge } from "./signed";
import { accountSignature, isAccount } from "./verify";

const erc7913 = /* @__PURE__ */ new Interface([
  "function verify(bytes key, bytes32 hash, bytes signature) view returns (bytes4)",
]);
const MAGIC = "0x024ad318".padEnd(66, "0");
/** What does not come from the contract. */
const UNANSWERED: readonly ErrorCode[] = ["NODE_UNREACHABLE", "RATE_LIMITED", "ABORTED", "TIMED_OUT"];

/**
 * What the chain knows of attestations' signatures: whether wallet contracts and other verifiers take them, and which attesters
 * equivocated. For {@link combineAttestations}.
 * @throws what the node says
 */
export async function askChain(
  connection: Connection,
  batch: PublicPart,
  attestations: readonly Attestation[],
): Promise<SignatureKnowledge> {
  const { deployment, runner } = connection;
  const provider = providerOf(runner);
  const named = new Set(attestersOf(batch.rulebook).map(({ signer }) => signer));
  const signers = [...new Set(attestations.map(({ signer }) => String(signer).toLowerCase()))].filter((signer) =>
    named.has(signer),
  );
  const rulebooks = Rulebooks__factory.connect(deployment.rulebooks, provider);
  const [accepted, equivocated] = await Promise.all([
    Promise.all(attestations.map((attestation) => isAccepted(connection, provider, batch, attestation))),
    Promise.all(signers.map((signer) => rulebooks.hasEquivocated(signer))),
  ]);
  const taken = new Set(attestations.filter((_, i) => accepted[i]));
  return {
    verifiers: deployment,
    accept: (attestation) => taken.has(attestation),
    suspended: signers.filter((_, i) => equivocated[i]),
  };
}

/** Whether a contract takes a signature that cannot be checked without asking it. */
async function isAccepted(
  { deployment }: Connection,
  provider: Provider,
  batch: PublicPart,
  attestation: Attestation,
): Promise<boolean> {
  const digest = digestFor(batch, attestation);
  const { signer, signature } = attestation;
  if (digest === undefined || signer.length < 42) return false;
  if (isAccount(signer))
    return (
      accountSignature(signer, digest, signature) === undefined &&
      isSignatureOf(provider, signer, attestationMessageOf(attestation, batch), signature)
    );
  const verifier = dataSlice(signer, 0, 20).toLowerCase();
  const { p256Verifier, webAuthnVerifier, webAuthnOriginVerifier } = deployment;
  // Their signatures are checked without the chain.
  if ([p256Verifier, webAuthnVerifier, webAuthnOriginVerifier].some((known) => known.toLowerCase() === verifier))
    return false;
  const data = erc7913.encodeFunctionData("verify", [dataSlice(signer, 20), digest, signature]);
  try {
    return (await provider.call({ to: verifier, data })) === MAGIC;
  } catch (thrown) {
    const error = decodeError(thrown);
    if (UNANSWERED.includes(error.code)) throw error;
    // However a contract fails, it did not say yes.
    return false;
  }
}
