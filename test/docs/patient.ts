import { readFile, writeFile } from "node:fs/promises";

import { Wallet, type JsonRpcProvider, type JsonRpcSigner } from "ethers";

import { run, type Deployment } from "@carepact/sdk";
import { createGateway, memoryStore, type Attempt, type Gateway } from "@carepact/sdk/access";
import {
  openSealedGrant,
  openSealedRestrictions,
  parseRestrictions,
  parseSealedGrant,
  parseSealedRestrictions,
  parseSignedGrant,
  type RestrictionsFile,
  type SignedGrant,
} from "@carepact/sdk/consents";
import { generateSealingKeys, type SealingKeyPair } from "@carepact/sdk/encryption";
import { createPatients, patientIdOf } from "@carepact/sdk/patients";
import { accountSigner, type CredentialsLike, type PatientSigner } from "@carepact/sdk/signers";

import { deviceWithPasskey } from "../../examples/demo/authenticator";

import { readJson } from "./json";
import type { Shell } from "./shell";
import type { Story } from "./story";
import { DAY, enrol, pass, type World } from "./world";

/** What the guide for patient apps takes as given. */
export interface PatientsGiven {
  provider: JsonRpcProvider;
  deployment: Deployment;
  phone: CredentialsLike;
  secondPhone: CredentialsLike;
  thirdPhone: CredentialsLike;
  adultsPhone: CredentialsLike;
  storage: { setItem(key: string, value: string): void; removeItem(key: string): void };
  relayer: JsonRpcSigner;
  clinic: string;
  laboratory: string;
  hospital: string;
  gateway: string;
  deliver: (organization: string, text: string) => Promise<void>;
  askGateway: (patient: string, roots: number[]) => Promise<string>;
  receipts: () => unknown[];
  notices: () => unknown[];
  contactKeys: PatientSigner[];
  daughter: PatientSigner;
  parent: PatientSigner;
  birthDate: string;
}

/** A key of somebody who has the app. */
const somebody = (): Promise<PatientSigner> => accountSigner(Wallet.createRandom());

/** The day of birth of who comes of age in a few more than 36 days. */
export function almostAdult(now: number): string {
  const birthday = new Date((now + 40 * DAY) * 1_000);
  const day = Math.min(birthday.getUTCDate(), 28);
  return new Date(Date.UTC(birthday.getUTCFullYear() - 18, birthday.getUTCMonth(), day)).toISOString().slice(0, 10);
}

/** What a clinic was sent: a grant for results, and the patient's restrictions. */
async function openAll(
  texts: readonly string[],
  { privateKey }: SealingKeyPair,
): Promise<{ grants: SignedGrant[]; restrictions: RestrictionsFile | undefined }> {
  const grants: SignedGrant[] = [];
  let restrictions: RestrictionsFile | undefined;
  for (const text of texts) {
    if ((JSON.parse(text) as { carepact: string }).carepact === "sealed-grant")
      grants.push(await openSealedGrant(parseSealedGrant(text), privateKey));
    else restrictions = await openSealedRestrictions(parseSealedRestrictions(text), privateKey);
  }
  return { grants, restrictions };
}

/** A clinic looks, a laboratory tries to, and an emergency happens. */
async function look(
  gateway: Gateway,
  who: { clinic: string; laboratory: string },
  { grants, restrictions }: Awaited<ReturnType<typeof openAll>>,
): Promise<{ receipts: unknown[]; notices: unknown[] }> {
  const [grant] = grants;
  const { patient } = grant!.grant;
  const attempt: Attempt = {
    patient,
    who: who.clinic,
    action: "read",
    resourceTypes: ["DiagnosticReport"],
    confidentiality: "N",
    purposes: ["TREAT"],
    basis: { kind: "grant", grant: grant! },
    restrictions,
  };
  const emergency = { kind: "breakGlass", justification: "Unconscious at the door." } as const;
  const answers = [
    await gateway.attempt(attempt),
    await gateway.attempt({ ...attempt, who: who.laboratory }),
    await gateway.attempt({ ...attempt, resourceTypes: ["Condition"], purposes: ["ETREAT"], basis: emergency }),
  ];
  await run(gateway.anchor());
  return {
    receipts: answers.map(({ receipt }) => receipt),
    notices: (await gateway.notices()).map(({ sealed }) => sealed),
  };
}

/** Accounts of the terminal's node, by the numbers that the guide's commands have. */
async function terminalsAccounts({
  provider,
}: World): Promise<Record<"patient" | "clinic" | "gatekeeper", JsonRpcSigner>> {
  const [patient, clinic, gatekeeper] = (await Promise.all([2, 5, 7].map((index) => provider.getSigner(index)))) as [
    JsonRpcSigner,
    JsonRpcSigner,
    JsonRpcSigner,
  ];
  return { patient, clinic, gatekeeper };
}

/** What the terminal's audit is about: the clinic asked with the grant that was revoked, and the gateway gave a history. */
async function lookInTerminal(terminal: World): Promise<void> {
  const { deployment } = terminal;
  const { patient: account, clinic, gatekeeper } = await terminalsAccounts(terminal);
  const patient = patientIdOf(account.address, `0x${"0a".repeat(32)}`);
  const { publicKey } = JSON.parse(await readFile("patient.sealing.json", "utf8")) as { publicKey: string };
  await run(createPatients({ runner: account, deployment }).setHpkeKey(patient, publicKey));
  const gateway = createGateway({ runner: gatekeeper, deployment }, { store: memoryStore() });
  const { receipt } = await gateway.attempt({
    patient,
    who: clinic.address,
    action: "read",
    resourceTypes: ["DiagnosticReport"],
    confidentiality: "N",
    purposes: ["TREAT"],
    basis: { kind: "grant", grant: parseSignedGrant(await readFile("grant.json", "utf8")) },
    restrictions: parseRestrictions(await readFile("restrictions.json", "utf8")),
  });
  await run(gateway.anchor());
  await writeFile("receipt.json", JSON.stringify(receipt));
  await writeFile("history.json", JSON.stringify(await gateway.history(patient, { view: "patient" })));
}

/**
 * The guide for patient apps: what its code takes as given, and what clinics and gateways do meanwhile. Its commands have a
 * world of their own.
 */
export async function patientsStory(world: World, terminal: World, shell: Shell): Promise<Story> {
  const { provider, deployment } = world;
  const [clinic, hospital, gatekeeper, relayer] = (await Promise.all(
    [5, 6, 7, 8].map((index) => provider.getSigner(index)),
  )) as [JsonRpcSigner, JsonRpcSigner, JsonRpcSigner, JsonRpcSigner];
  const clinicsKeys = await generateSealingKeys();
  await enrol(world, clinic.address, "clinic", clinicsKeys);
  await enrol(world, world.laboratory.signer.address, "laboratory", world.laboratory.keys);
  await enrol(world, hospital.address, "clinic", await generateSealingKeys());
  await enrol(world, gatekeeper.address, "gateway", await generateSealingKeys());
  const gateway = createGateway({ runner: gatekeeper, deployment }, { store: memoryStore() });

  const others = await terminalsAccounts(terminal);
  await enrol(terminal, others.clinic.address, "clinic", await generateSealingKeys());
  await enrol(terminal, others.gatekeeper.address, "gateway", await generateSealingKeys());
  await writeFile("password.txt", "long and of this test only", { mode: 0o600 });

  const delivered: string[] = [];
  let seen: Awaited<ReturnType<typeof look>> = { receipts: [], notices: [] };
  const stored = new Map<string, string>();
  const given: PatientsGiven = {
    provider,
    deployment,
    phone: deviceWithPasskey(),
    secondPhone: deviceWithPasskey(),
    thirdPhone: deviceWithPasskey(),
    adultsPhone: deviceWithPasskey(),
    storage: { setItem: (key, value) => stored.set(key, value), removeItem: (key) => stored.delete(key) },
    relayer,
    clinic: clinic.address,
    laboratory: world.laboratory.signer.address,
    hospital: hospital.address,
    gateway: gatekeeper.address,
    deliver: (organization, text) => {
      if (organization === clinic.address) delivered.push(text);
      else if (organization !== gatekeeper.address) throw new Error(`Nothing is for ${organization}.`);
      return Promise.resolve();
    },
    askGateway: async (patient, roots) => JSON.stringify(await gateway.history(patient, { view: "patient", roots })),
    receipts: () => seen.receipts,
    notices: () => seen.notices,
    contactKeys: await Promise.all([somebody(), somebody(), somebody()]),
    daughter: await somebody(),
    parent: await somebody(),
    birthDate: almostAdult((await provider.getBlock("latest"))?.timestamp ?? 0),
  };
  return {
    page: "docs/guides/patient.md",
    given,
    others: {
      json: readJson,
      sh: (block) => shell.run(block),
      text: (block) => shell.compare(block),
    },
    meanwhile: {
      "See who looked": async () => {
        seen = await look(gateway, given, await openAll(delivered, clinicsKeys));
      },
      "A lost phone": () => pass(world, 7 * DAY),
      "When the delay is over": () => pass(world, 7 * DAY),
      // An anchor counts from the next second on, and this chain has several blocks in one.
      "The new phone takes over": () => pass(world, 1),
      Majority: () => pass(world, 45 * DAY),
      "Audit from the terminal": () => lookInTerminal(terminal),
    },
  };
}
