import { writeFile } from "node:fs/promises";

import type { Consent } from "fhir/r4";
import { Wallet, type JsonRpcSigner } from "ethers";

import { run, type Deployment } from "@carepact/sdk";
import { createGateway, memoryStore } from "@carepact/sdk/access";
import {
  createConsents,
  makeRestrictions,
  mandateFileOf,
  restrictionsFileOf,
  signedGrantText,
} from "@carepact/sdk/consents";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { grantConsent } from "@carepact/sdk/fhir";
import { createPatients, type MinorRules } from "@carepact/sdk/patients";
import { accountSigner, type PatientSigner } from "@carepact/sdk/signers";

import { readJson } from "./json";
import { almostAdult } from "./patient";
import type { Shell } from "./shell";
import type { Story } from "./story";
import { DAY, enrol, type World } from "./world";

/** A row of the guide's table, as node-postgres gives it: a `bigint` as text. */
interface Row {
  key: string;
  value: string;
  version: string;
}

/** What of node-postgres' pool the guide uses. */
interface Database {
  query(text: string, values: readonly string[]): Promise<{ rows: Row[]; rowCount: number | null }>;
}

/** A clinic's request. */
interface Request {
  patient: string;
  /** Text of a signed grant. */
  grant: string;
}

/** What the guide for gateways takes as given. */
export interface GatewaysGiven {
  gatekeeper: JsonRpcSigner;
  office: JsonRpcSigner;
  clinic: JsonRpcSigner;
  laboratory: JsonRpcSigner;
  reviewer: JsonRpcSigner;
  deployment: Deployment;
  database: Database;
  records: (patient: string) => unknown[];
  send: (to: string, text: string) => Promise<void>;
  keep: (privateKey: string) => Promise<void>;
  request: Request;
  restrictionsText: string;
  second: Pick<Request, "grant">;
  sealedGrant: string;
  clinicsKey: string;
  minors: Map<string, { rules: MinorRules; birthDate: string }>;
  childsRequest: Pick<Request, "patient">;
  mandateText: string;
  parentsKey: string;
}

/**
 * Postgres, as far as the guide's own statements go: a process of its own would be a lot for four of them. A statement that
 * is none of these is an error.
 */
function databaseOf(rows: Map<string, Row>): Database {
  const statements: Record<
    string,
    (key: string, value: string, version: string) => { rows?: Row[]; rowCount: number }
  > = {
    "SELECT value, version FROM access_log WHERE key = $1": (key) => {
      const row = rows.get(key);
      return row === undefined ? { rowCount: 0 } : { rows: [row], rowCount: 1 };
    },
    "SELECT key FROM access_log WHERE key LIKE $1 || '%'": (prefix) => {
      const found = [...rows.values()].filter(({ key }) => key.startsWith(prefix));
      return { rows: found, rowCount: found.length };
    },
    "INSERT INTO access_log (key, value, version) VALUES ($1, $2, 1) ON CONFLICT (key) DO NOTHING": (key, value) => {
      if (rows.has(key)) return { rowCount: 0 };
      rows.set(key, { key, value, version: "1" });
      return { rowCount: 1 };
    },
    "UPDATE access_log SET value = $2, version = version + 1 WHERE key = $1 AND version = $3": (
      key,
      value,
      version,
    ) => {
      const row = rows.get(key);
      if (row?.version !== version) return { rowCount: 0 };
      rows.set(key, { key, value, version: String(Number(version) + 1) });
      return { rowCount: 1 };
    },
  };
  return {
    query: (text, [key = "", value = "", version = ""]) => {
      const statement = statements[text];
      if (statement === undefined) return Promise.reject(new Error(`No statement of the guide: ${text}`));
      return Promise.resolve({ rows: [], ...statement(key, value, version) });
    },
  };
}

const rules: MinorRules = {
  jurisdiction: "a country of this test",
  majorityAge: 18,
  ownConsent: [{ age: 14, categories: ["SEX"] }],
  timeZone: "UTC",
};

const coded = (system: string, code: string) => ({
  coding: [{ system: `http://terminology.hl7.org/CodeSystem/${system}`, code }],
});

/** A Consent for the clinic, about what another house than the gateway's holds. */
const consentElsewhere: Consent = {
  resourceType: "Consent",
  status: "active",
  scope: coded("consentscope", "patient-privacy"),
  category: [coded("consentcategorycodes", "acd")],
  patient: { reference: "Patient/100" },
  policyRule: coded("v3-ActCode", "OPTOUT"),
  provision: {
    provision: [
      {
        type: "permit",
        actor: [
          { role: coded("v3-ParticipationType", "IRCP"), reference: { reference: "Organization/clinic" } },
          { role: coded("v3-ParticipationType", "CST"), reference: { reference: "Organization/elsewhere" } },
        ],
        action: [coded("consentaction", "access")],
        purpose: [{ system: "http://terminology.hl7.org/CodeSystem/v3-ActReason", code: "TREAT" }],
        class: [{ system: "http://hl7.org/fhir/resource-types", code: "MedicationRequest" }],
      },
    ],
  },
};

/** A record of somebody who has a key. */
async function registered({ office, deployment }: World): Promise<{ signer: PatientSigner; patient: string }> {
  const signer = await accountSigner(Wallet.createRandom());
  const { publicKey: hpkeKey } = await generateSealingKeys();
  const patients = createPatients({ runner: office, deployment }, { signer });
  const { patient } = await run(patients.register({ hpkeKey }));
  return { signer, patient };
}

/** The files of the guide's commands: a grant that its clinic may pass on, and the receipt for a look by it. */
async function filesForTerminal(terminal: World): Promise<void> {
  const { provider, deployment, laboratory } = terminal;
  const [account, clinic, gatekeeper] = (await Promise.all([2, 5, 7].map((index) => provider.getSigner(index)))) as [
    JsonRpcSigner,
    JsonRpcSigner,
    JsonRpcSigner,
  ];
  const keys = await generateSealingKeys();
  await enrol(terminal, clinic.address, "clinic", keys);
  await enrol(terminal, laboratory.signer.address, "laboratory", laboratory.keys);
  await enrol(terminal, gatekeeper.address, "gateway", keys);
  const connection = { runner: account, deployment };
  const salt = `0x${"0a".repeat(32)}`;
  const { patient } = await run(createPatients(connection).register({ hpkeKey: keys.publicKey, salt }));
  const grant = await createConsents(connection).grant({
    patient,
    grantee: clinic.address,
    purposes: ["TREAT"],
    categories: ["DiagnosticReport"],
    expiry: ((await provider.getBlock("latest"))?.timestamp ?? 0) + 30 * DAY,
    subGrants: 1,
  });
  const gateway = createGateway({ runner: gatekeeper, deployment }, { store: memoryStore() });
  const { receipt } = await gateway.attempt({
    patient,
    who: clinic.address,
    action: "read",
    resourceTypes: ["DiagnosticReport"],
    confidentiality: "N",
    purposes: ["TREAT"],
    basis: { kind: "grant", grant },
  });
  await run(gateway.anchor());
  await writeFile("grant.json", signedGrantText(grant));
  await writeFile("receipt.json", JSON.stringify(receipt));
}

/** The guide for gateways: what its code takes as given, and what patients did before. Its commands have a world of their own. */
export async function gatewaysStory(world: World, terminal: World, shell: Shell): Promise<Story> {
  const { provider, office, deployment } = world;
  const [clinic, reviewer, gatekeeper] = (await Promise.all([5, 6, 7].map((index) => provider.getSigner(index)))) as [
    JsonRpcSigner,
    JsonRpcSigner,
    JsonRpcSigner,
  ];
  const clinicsKeys = await generateSealingKeys();
  await enrol(world, clinic.address, "clinic", clinicsKeys);
  await enrol(world, reviewer.address, "clinic", await generateSealingKeys());
  await enrol(world, world.laboratory.signer.address, "laboratory", world.laboratory.keys);
  const now = (await provider.getBlock("latest"))?.timestamp ?? 0;

  const { signer, patient } = await registered(world);
  const connection = { runner: office, deployment };
  const consents = createConsents(connection, { signer });
  const registry = { chainId: deployment.chainId, registry: deployment.consentRegistry };
  const restrictions = restrictionsFileOf(makeRestrictions({ purposes: ["HMARKT"], breakGlass: true }), {
    ...registry,
    patient,
  });
  await run(consents.restrict(patient, restrictions));
  const grant = await consents.grant({
    patient,
    grantee: clinic.address,
    purposes: ["TREAT"],
    categories: ["DiagnosticReport", "Observation"],
    expiry: now + 30 * DAY,
    subGrants: 1,
  });
  const accountOf = (reference: string): string =>
    reference === "Organization/clinic" ? clinic.address : reviewer.address;
  const { grants } = await grantConsent(consents, consentElsewhere, { patient, accountOf });

  const child = await registered(world);
  const birthDate = almostAdult(now);
  const mandate = await createPatients(connection, { signer: child.signer }).representativeMandate(child.patient, {
    representative: (await accountSigner(Wallet.createRandom())).signer,
    custodian: reviewer.address,
    purposes: ["TREAT", "PATRQT"],
    minor: { rules, birthDate },
  });

  const given: GatewaysGiven = {
    gatekeeper,
    office,
    clinic,
    laboratory: world.laboratory.signer,
    reviewer,
    deployment,
    database: databaseOf(new Map()),
    records: () => [{ resourceType: "DiagnosticReport" }],
    send: (_to, text) => Promise.resolve(void JSON.parse(text)),
    keep: () => Promise.resolve(),
    request: { patient, grant: signedGrantText(grant) },
    restrictionsText: JSON.stringify(restrictions),
    second: { grant: signedGrantText(grants[0]!) },
    sealedGrant: JSON.stringify(await consents.seal(grant)),
    clinicsKey: clinicsKeys.privateKey,
    minors: new Map([[child.patient, { rules, birthDate }]]),
    childsRequest: { patient: child.patient },
    mandateText: JSON.stringify(mandateFileOf(mandate, registry)),
    parentsKey: (await generateSealingKeys()).publicKey,
  };
  return {
    page: "docs/guides/gateway.md",
    given,
    others: {
      json: readJson,
      sh: (block) => shell.run(block),
      text: (block) => shell.compare(block),
      sql: ({ text, line }) => {
        const columns = [...text.matchAll(/^ {2}(\w+) /gm)].map(([, column]) => column);
        if (columns.join() !== "key,value,version")
          throw new Error(`Line ${line + 1}: the statements have other columns.`);
      },
    },
    meanwhile: { "The same from the terminal": () => filesForTerminal(terminal) },
  };
}
