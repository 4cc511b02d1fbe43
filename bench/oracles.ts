import { concat, dataLength, id, keccak256, sha256, toBeHex, toUtf8Bytes } from "ethers";

import {
  attestationDigestOf,
  batchIdOf,
  encodeResults,
  type AttestationStatement,
  type GroupResult,
} from "@carepact/sdk/claims";

import { accountKey, assertionOf, ORDER, p256Key, publicKeyOf, type Key } from "../test/support/keys";
import { encodeReportOf, signReport, workflowOf, type WorkflowName } from "../test/support/keystone";
import { publish, rulebookOf } from "../test/support/system";

import { VALID_UNTIL, buildBatch, type BenchBatch } from "./batches";
import type { Chain } from "./chain";
import type { Gas } from "./compare";
import { START, fixedBytes, withoutZeroBytes } from "./fixed";

/** Batches that a workflow reports in one go, as one on a schedule does. */
const REPORTED_AT_ONCE = 10;

const met: GroupResult[] = [{ result: "met" }];

/** What is needed of a batch for settling it in other ways than by accounts' signatures. */
interface Statement {
  attestation: AttestationStatement & { signatures: string };
  digest: string;
}

/** Measures reports of workflows, and settlements by what is not a list of accounts. */
export async function measureOracles(chain: Chain): Promise<Gas> {
  const workflow = await measureWorkflow(chain);
  const p256 = await measureP256(chain);
  const passkey = await measurePasskey(chain);
  return { ...workflow, "settle.1.p256": p256, "settle.1.patientPasskey": passkey };
}

/** A network of 4 nodes reports through Chainlink's forwarder, of one batch and of several at once; then anybody settles. */
async function measureWorkflow(chain: Chain): Promise<Gas> {
  const workflow = workflowOf("dispenses");
  const rulebook = await publish(chain.rulebooks, rulebookOf([], 0, { attesterGroups: [], workflow }));
  const batch = await batchUnder(chain, "workflow", rulebook);
  const { attestation, digest } = stateOf(batch);
  const first = encodeReportOf({ rulebook, batchId: attestation.batchId, digest, observedAt: START });
  const others = Array.from({ length: REPORTED_AT_ONCE }, (_, i) =>
    encodeReportOf({
      rulebook,
      batchId: fixedBytes(`reported batch ${i}`, 32),
      digest: fixedBytes(`reported digest ${i}`, 32),
      observedAt: START,
    }),
  );
  const single = await report(chain, workflow, first);
  const several = await report(chain, workflow, concat(others));
  return {
    "oracle.workflow.report": Number((several / REPORTED_AT_ONCE).toFixed(2)),
    "oracle.workflow.report.single": single,
    "settle.1.storedDigest": await settle(chain, batch, attestation),
  };
}

async function report(chain: Chain, workflow: WorkflowName, reports: string): Promise<number> {
  const { don, forwarder, escrow, relayer } = chain;
  const { rawReport, reportContext, signatures } = await withoutZeroBytes(
    (attempt) => signReport(don, { executionId: `${reports} ${attempt}`, workflow, report: reports, timestamp: START }),
    (signed) => signed.signatures,
  );
  return chain.gasOf(() => forwarder.connect(relayer).report(escrow, rawReport, reportContext, signatures));
}

/** A laboratory's security module signs. */
async function measureP256(chain: Chain): Promise<number> {
  const key = p256Key("laboratory", chain.p256Verifier);
  const rulebook = await publish(chain.rulebooks, rulebookOf([key.signer], 1));
  const batch = await batchUnder(chain, "P-256", rulebook);
  const { attestation, digest } = stateOf(batch);
  const signatures = packSignatures([{ attester: 0, signature: key.sign(digest) }]);
  return settle(chain, batch, { ...attestation, signatures });
}

/** The pharmacy signs, and the patient by a passkey that was made for the page at which it is used. */
async function measurePasskey(chain: Chain): Promise<number> {
  const pharmacy = accountKey("pharmacy");
  const rulebook = await publish(
    chain.rulebooks,
    rulebookOf([], 0, {
      attesterGroups: [
        { threshold: 1, above: 0, attesters: [pharmacy.signer] },
        { threshold: 1, above: 0, attesters: ["0x02"] },
      ],
    }),
  );
  const secret = BigInt(id("passkey patient")) % ORDER;
  const signer = concat([
    chain.webAuthnOriginVerifier,
    publicKeyOf(secret),
    sha256(toUtf8Bytes("patient.example")),
    keccak256(toUtf8Bytes('","origin":"https://patient.example","crossOrigin":false')),
    toBeHex("https://patient.example".length, 1),
  ]);
  const patient: Key = { signer, hash: keccak256(signer), sign: (digest) => assertionOf(secret, digest) };
  const salt = fixedBytes("patient salt", 32);
  // Of one key, which is the root.
  const patientsRoot = keccak256(concat([toBeHex(0, 32), salt, signer]));
  const details = fixedBytes("passkey details", 32);
  const batch = await batchUnder(chain, "passkey", rulebook, keccak256(concat([details, patientsRoot])));
  const { attestation, digest } = stateOf(batch);
  const proof = ["0x02", details, batch.linesRoot];
  const opening = [salt, ...proof, toBeHex(dataLength(signer), 1), signer];
  const signatures = packSignatures([
    { attester: 0, signature: pharmacy.sign(digest) },
    { attester: 1, signature: concat([...opening, patient.sign(digest)]) },
  ]);
  return settle(chain, batch, { ...attestation, signatures });
}

async function batchUnder(chain: Chain, name: string, rulebook: string, details?: string): Promise<BenchBatch> {
  const payee = chain.payees[0]!;
  const batch = await buildBatch(chain, name, [payee], 1, { rulebook, signers: [] }, details);
  await chain.gasOf(() => chain.escrow.connect(chain.payer).fund(batch.terms, batch.words));
  return batch;
}

function stateOf(batch: BenchBatch): Statement {
  const statement = {
    batchId: batchIdOf(batch.terms, batch.ref),
    results: encodeResults(met, batch.groups),
    observedAt: START,
    validUntil: VALID_UNTIL,
    evidence: fixedBytes("evidence 0", 32),
  };
  return {
    attestation: { ...statement, signatures: "0x" },
    digest: attestationDigestOf(statement, batch.ref),
  };
}

/** Signatures in the form for conditions (IAttesterConditions.sol). */
const packSignatures = (signatures: { attester: number; signature: string }[]): string =>
  concat([
    toBeHex(signatures.length, 1),
    ...signatures.flatMap(({ attester, signature }) => [
      toBeHex(attester, 1),
      toBeHex(0, 2),
      toBeHex(dataLength(signature), 2),
      signature,
    ]),
  ]);

async function settle(chain: Chain, batch: BenchBatch, attestation: Statement["attestation"]): Promise<number> {
  const gas = await chain.gasOf(() =>
    chain.escrow.connect(chain.relayer).settle(batch.terms, batch.words, attestation),
  );
  const { open } = await chain.escrow.claimBatchStatusOf(attestation.batchId);
  if (open !== 0n) throw new Error(`The batch should be settled, but ${open} base units are open.`);
  return gas;
}
