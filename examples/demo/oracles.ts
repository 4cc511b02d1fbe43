import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { getBytes, hexlify, randomBytes } from "ethers";

import { isCarepactError, run } from "@carepact/sdk";
import {
  attestationDigestOf,
  readPharmacyClaim,
  statementOf,
  type AdjudicatedClaim,
  type GroupResult,
  type OpenedGroup,
} from "@carepact/sdk/claims";
import { lmdbLedger } from "@carepact/sdk/ledger";
import {
  confirmPickup,
  createAttester,
  encodeReport,
  findEquivocation,
  pickupAnswer,
  pickupRequest,
  pickupUrl,
  readPickupAnswer,
  readPickupRequest,
} from "@carepact/sdk/oracles";
import { createRulebooks, eventKinds, rulebook, type ConditionInput, type Workflow } from "@carepact/sdk/rulebooks";
import { createPasskey, passkeySigner, type PatientSigner } from "@carepact/sdk/signers";

import { deviceWithPasskey, PAGE } from "./authenticator";
import { receive } from "./checking";
import { ensure, type Pharmacy, type World } from "./world";

const SCENE = "oracles";
const DAY = 24 * 60 * 60;
const met: GroupResult[] = [{ result: "met" }];

/** What was shown of oracles; each is true where all went as it should. */
export interface OraclesOutcome {
  workflow: boolean;
  passkey: boolean;
  duplicateCaught: boolean;
  equivocationProved: boolean;
}

/** Who says that care happened, in other ways than by 2 of 3 accounts, and what becomes of who lies. */
export async function showOracles(world: World): Promise<OraclesOutcome> {
  world.screen.title("Oracles: a Chainlink workflow, the patient's own yes, and two kinds of fraud");
  const workflow = await settleByWorkflow(world);
  const passkey = await settleByPasskey(world);
  const duplicateCaught = await catchDuplicate(world);
  const equivocationProved = await proveEquivocation(world);
  return { workflow, passkey, duplicateCaught, equivocationProved };
}

/** A network of four nodes reports through Chainlink's forwarder; then anybody settles, without a signature. */
async function settleByWorkflow(world: World): Promise<boolean> {
  const { screen, oracles, passerBy } = world;
  const pharmacy = world.pharmacies["Pharmacy B"];
  const workflow = oracles.workflow("claim-events");
  const batch = await fundUnder(world, pharmacy, "W-1", [], { workflow });
  const statement = statementOf(batch, met, { observedAt: await world.now() });
  await world.spend(
    SCENE,
    "report",
    oracles.report(
      workflow,
      encodeReport({
        rulebook: batch.terms.rulebook,
        batchId: batch.batchId,
        digest: attestationDigestOf(statement, batch),
        observedAt: statement.observedAt,
      }),
      world.deployment.claimEscrow,
    ),
  );
  ensure((await passerBy.claims.reportOf(batch)) !== undefined, "the escrow recorded the report");
  const settled = await world.spend(
    SCENE,
    "settleReported",
    run(passerBy.claims.settle(batch, { reported: statement })),
  );
  screen.say(
    `Two of four nodes of a network signed the workflow's report; Chainlink's KeystoneForwarder checked them and handed it on. A passer-by ` +
      `settled with what was reported: ${world.show(settled.paid)} for ${pharmacy.name}. The nodes' keys are the demo's, the forwarder is Chainlink's own.`,
  );
  return settled.paid === batch.lines[0]?.amount;
}

/** The pharmacy and the patient both sign: the patient with a passkey that was made for this claim and for the pick-up page. */
async function settleByPasskey(world: World): Promise<boolean> {
  const { screen, deployment, passerBy } = world;
  const pharmacy = world.pharmacies["Pharmacy C"];
  const patient = await oneTimeKey(world);
  const batch = await fundUnder(world, pharmacy, "P-1", [{ attesters: ["payee"] }, { attesters: ["patient"] }], {
    patientKeys: [patient.signer],
  });
  const statement = statementOf(batch, met, { observedAt: await world.now() });

  // What the terminal shows as a QR code, and the phone opens.
  const url = pickupUrl(pickupRequest(batch, statement), `${PAGE}/pickup`);
  const escrow = { chainId: deployment.chainId, escrow: deployment.claimEscrow };
  const now = await world.now();
  const asked = readPickupRequest(url);
  const answer = pickupAnswer(asked, await confirmPickup(asked, patient, { escrow, now }));

  const yes = readPickupAnswer(answer, asked);
  const own = await pharmacy.claims.attest(batch, statement);
  const alone = await passerBy.claims
    .settle(batch, [own])
    .simulate()
    .then(
      () => "settled",
      (thrown: unknown) => (isCarepactError(thrown) ? thrown.code : String(thrown)),
    );
  ensure(alone === "ATTESTATION_TOO_FEW", `the pharmacy alone cannot settle (${alone})`);
  const settled = await world.spend(SCENE, "settlePasskey", run(passerBy.claims.settle(batch, [own, yes])));
  screen.say(
    `The terminal shows a QR code of ${url.length} characters; the patient's phone says what it is about, and signs with a one-time passkey to ` +
      `which the batch commits. The pharmacy's word alone is refused; with the patient's yes ${world.show(settled.paid)} are paid. examples/pickup-page is that page.`,
  );
  return settled.paid === batch.lines[0]?.amount;
}

/** The same fill in a second batch: the attester finds it in its ledger, before it signs. */
async function catchDuplicate(world: World): Promise<boolean> {
  const { screen } = world;
  const pharmacy = world.pharmacies["Pharmacy D"];
  const [network] = world.attesters;
  ensure(network !== undefined, "there is an attester");
  const conditions = [{ attesters: [network.account] }];
  const first = await fundUnder(world, pharmacy, "D-1", conditions);
  const second = await fundUnder(world, pharmacy, "D-1", conditions);
  const folder = await mkdtemp(join(tmpdir(), "carepact-demo-"));
  const ledger = lmdbLedger({ path: join(folder, "events.lmdb"), secret: hexlify(randomBytes(32)), create: true });
  try {
    const attester = createAttester(network.connection, { ledger });
    const attestation = await attester.attest(first, met);
    await world.spend(SCENE, "settle", run(world.passerBy.claims.settle(first, [attestation])));
    const refused = await attester.attest(second, met).then(
      () => "signed",
      (thrown: unknown) => (isCarepactError(thrown) ? thrown.code : String(thrown)),
    );
    screen.say(
      `${pharmacy.name} bills one fill in two batches, which nobody can see on chain. ${network.name} compares with its ledger before it signs: ${refused}. ` +
        "The second batch goes back to its payer when its time is over.",
    );
    return refused === "EVENT_ALREADY_ATTESTED";
  } finally {
    await ledger.close();
    await rm(folder, { recursive: true });
  }
}

/** An attester says both that a line is met and that it is not, at the same time: that proves itself, and the attester is out. */
async function proveEquivocation(world: World): Promise<boolean> {
  const { screen, passerBy } = world;
  const pharmacy = world.pharmacies["Pharmacy A"];
  const [, liar, honest] = world.attesters;
  ensure(liar !== undefined && honest !== undefined, "there are two more attesters");
  const batch = await fundUnder(world, pharmacy, "E-1", [{ threshold: 1, attesters: [liar.account, honest.account] }]);
  const observedAt = await world.now();
  const yes = await liar.claims.attest(batch, met, { observedAt });
  const no = await liar.claims.attest(batch, [{ result: "notMet" }], { observedAt });
  const found = findEquivocation(batch, [yes, no]);
  ensure(found !== undefined, "the two attestations contradict each other");
  const rulebooks = createRulebooks(passerBy.connection);
  await world.spend(SCENE, "proveEquivocation", run(rulebooks.proveEquivocation(batch, found)));
  const proved = await rulebooks.hasEquivocated(liar.account);

  const refused = await passerBy.claims
    .settle(batch, [yes])
    .simulate()
    .then(
      () => false,
      () => true,
    );
  const settled = await world.spend(
    SCENE,
    "settleHonest",
    run(passerBy.claims.settle(batch, [await honest.claims.attest(batch, met, { observedAt })])),
  );
  screen.say(
    `${liar.name} said of one line, at one moment, both that it is met and that it is not. A passer-by proves it with the two signatures: it counts no ` +
      `longer under this rulebook, ${refused ? "and what it signed settles nothing" : "but what it signed still settles"}. ${honest.name}'s word settles: ${world.show(settled.paid)}.`,
  );
  return proved && refused;
}

/** A passkey of the patient's phone for one claim, bound to the page on which it is used. */
async function oneTimeKey({ deployment }: World): Promise<PatientSigner> {
  const credentials = deviceWithPasskey();
  const { hostname } = new URL(PAGE);
  const key = await createPasskey({ application: "Pick-up", user: "one claim", rpId: hostname, credentials });
  return passkeySigner(key, { verifier: deployment.webAuthnOriginVerifier, origin: PAGE, credentials });
}

/** A batch of one prescription fill, funded under a rulebook of these conditions, as its pharmacy received and checked it. */
async function fundUnder(
  world: World,
  pharmacy: Pharmacy,
  claimId: string,
  conditions: ConditionInput[],
  extras: { workflow?: Workflow; patientKeys?: string[] } = {},
): Promise<OpenedGroup> {
  const { payer, token } = world;
  const { workflow, patientKeys } = extras;
  const rules = rulebook({
    conditions,
    eventKinds: eventKinds.dispense,
    grace: 3 * DAY,
    ...(workflow === undefined ? {} : { workflow }),
  });
  const { id } = await run(createRulebooks(world.passerBy.connection).publish(rules));
  const funded = await run(
    payer.claims.fund({
      adjudicated: [{ ...claimOf(pharmacy, claimId), ...(patientKeys === undefined ? {} : { patientKeys }) }],
      rulebook: id,
      token: token.address,
      eventBy: (await world.now()) + 14 * DAY,
    }),
  );
  return receive(world, pharmacy, funded.file, id);
}

/** Made up: a fill of 30 tablets for 42.00. */
const claimOf = (pharmacy: Pharmacy, claimId: string): AdjudicatedClaim =>
  readPharmacyClaim(
    {
      kind: "pharmacy",
      claimId,
      currency: "USD",
      transactionResponseStatus: "P",
      pharmacyNpi: pharmacy.npi,
      prescriptionReferenceNumber: String(BigInt(hexlify(getBytes(Buffer.from(claimId)))) % 1_000_000n),
      fillNumber: 0,
      dateOfService: "2015-01-15",
      productServiceId: "00777310502",
      quantityDispensed: "30",
      daysSupply: 30,
      ingredientCostPaid: "42.00",
      patientPayAmount: "0",
      totalAmountPaid: "42.00",
    },
    { payee: pharmacy.account },
  );
