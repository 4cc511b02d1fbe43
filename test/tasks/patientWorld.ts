import { generateSealingKeys, type SealingKeyPair } from "@carepact/sdk/encryption";

import { accounts, type Json } from "./support";
import { deployedWorld, type World } from "./world";

/** Numbers of the node's accounts who have to do with a patient; the relayer sends what others sign. */
export const people = {
  relayer: "1",
  clinic: "2",
  specialist: "3",
  laboratory: "4",
  patient: "5",
  phone: "6",
  parent: "7",
  contacts: ["8", "9", "10"],
  gateway: "11",
} as const;

/** The deployed system with organizations in good standing. */
export interface CareWorld extends World {
  keys: SealingKeyPair;
  /** Key of the clinic. */
  clinicKeys: SealingKeyPair;
}

export async function careWorld(): Promise<CareWorld> {
  const world = await deployedWorld();
  const keys = await generateSealingKeys();
  const clinicKeys = await generateSealingKeys();
  for (const [account, kinds] of [
    [people.clinic, "clinic"],
    [people.specialist, "clinic"],
    [people.laboratory, "laboratory"],
    [people.gateway, "gateway"],
  ] as const)
    await world.does(accounts.officer, "org:register", {
      account: world.address(account),
      name: `A ${kinds}`,
      kinds,
      hpkeKey: clinicKeys.publicKey,
    });
  return { ...world, keys, clinicKeys };
}

/** A world with a registered patient, who has no part in what it costs. */
export interface RegisteredWorld extends CareWorld {
  patient: string;
}

export async function registeredWorld(): Promise<RegisteredWorld> {
  const world = await careWorld();
  const options = { hpkeKey: world.keys.publicKey, signer: people.patient };
  const { patient } = await world.does(people.relayer, "patient:register", options);
  return { ...world, patient: patient as string };
}

/** What the clinic is granted, to treat: observations, and no labels. */
export const usual = ({ patient, address }: RegisteredWorld): Record<string, string> => ({
  patient,
  grantee: address(people.clinic),
  purposes: "TREAT",
  categories: "Observation",
  until: "52w",
});

/** Signs a grant as the patient, and gives its file. */
export async function granted(
  world: RegisteredWorld,
  changes: Record<string, string> = {},
): Promise<{ file: string; number: number; json: Json }> {
  const file = world.path(`${Math.random()}.json`);
  const json = await world.does(people.patient, "consent:grant", { ...usual(world), out: file, ...changes });
  return { file, number: (json.grant as Json).number as number, json };
}

/** What the clinic asks for under a grant. */
export const asked = ({ patient, address }: RegisteredWorld, file: string): Record<string, string> => ({
  file,
  patient,
  organization: address(people.clinic),
  purposes: "TREAT",
  categories: "Observation",
  confidentiality: "N",
});
