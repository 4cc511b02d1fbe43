import { writeFileSync } from "node:fs";

import { expect } from "chai";
import { ethers } from "hardhat";

import { generateSealingKeys } from "@carepact/sdk/encryption";

import { deploymentOf, deploySystem, deployToken } from "../support/system";

import { accounts, command, fill, folder, npis, type Ended, type Json } from "./support";

/** The deployed system, with what commands are told about it. */
export interface World {
  /** Options of every command: where the system stands. */
  at: { deployment: string };
  token: string;
  address: (account: string) => string;
  /** Runs a command as one of the node's accounts, and expects it to end well. */
  does: (
    as: string,
    name: string,
    options?: Record<string, string | boolean>,
    env?: NodeJS.ProcessEnv,
  ) => Promise<Json>;
  /** The same, expected to end with another code. */
  fails: (
    code: number,
    as: string | undefined,
    name: string,
    options?: Record<string, string | boolean>,
    env?: NodeJS.ProcessEnv,
  ) => Promise<Ended>;
  path: (name: string) => string;
  file: (name: string, content: unknown) => string;
}

/**
 * For loadFixture: deployed, with tokens in the payer's wallet, and nothing else.
 * @param forwarder Whose reports of workflows are taken; nobody's unless given.
 */
export async function deployedWorld(forwarder?: string): Promise<World> {
  const system = await deploySystem(forwarder);
  const coin = await deployToken();
  const signers = await ethers.getSigners();
  const address = (account: string): string => signers[Number(account)]!.address;
  await coin.mint(address(accounts.payer), 10_000_000_000n);
  const { path, file } = folder();
  const at = { deployment: file("deployment.json", await deploymentOf(system)) };
  const call = (as: string | undefined, name: string, options = {}, env = {}): Promise<Ended> =>
    command(name, { ...at, ...(as === undefined ? {} : { as }), ...options }, env);
  return {
    at,
    token: await coin.getAddress(),
    address,
    path,
    file,
    does: async (as, name, options, env) => {
      const { code, stderr, json } = await call(as === "" ? undefined : as, name, options, env);
      expect(code, `${name}: ${stderr}`).to.equal(0);
      expect(json).to.include({ ok: true });
      return json;
    },
    fails: async (code, as, name, options, env) => {
      const ended = await call(as, name, options, env);
      expect(ended.code, `${name}: ${ended.stderr}${ended.stdout}`).to.equal(code);
      expect(ended.json).to.include({ ok: false });
      return ended;
    },
  };
}

/** A world with a registered payer whose pool is full, two registered payees, and a rulebook: all of it by commands. */
export interface Peopled extends World {
  rulebook: string;
  /** Environments with the payees' sealing keys. */
  pharmacy: NodeJS.ProcessEnv;
  laboratory: NodeJS.ProcessEnv;
}

export async function peopledWorld(forwarder?: string): Promise<Peopled> {
  const world = await deployedWorld(forwarder);
  const { does, address, token, file } = world;
  const keys = { pharmacy: await generateSealingKeys(), laboratory: await generateSealingKeys() };
  const register = (account: string, kinds: string, more: Record<string, string>): Promise<Json> =>
    does(accounts.officer, "org:register", { account: address(account), name: `A ${kinds}`, kinds, ...more });
  await register(accounts.payer, "payer", { hpkeKey: keys.pharmacy.publicKey });
  for (const name of ["pharmacy", "laboratory"] as const)
    await register(accounts[name], name, { hpkeKey: keys[name].publicKey, npi: npis[name] });
  const attesters = accounts.attesters.map(address);
  const short = {
    attesters,
    threshold: 2,
    eventKinds: ["dispense", "diagnosticReport"],
    grace: "3d",
    suspender: address("9"),
  };
  const { id } = await does(accounts.payer, "rulebook:publish", { file: file("rulebook.json", short) });
  await does(accounts.payer, "pool:deposit", { token, amount: "1000.00", permit: true });
  return {
    ...world,
    rulebook: id as string,
    pharmacy: { CAREPACT_SEALING_KEY: keys.pharmacy.privateKey },
    laboratory: { CAREPACT_SEALING_KEY: keys.laboratory.privateKey },
  };
}

/** A world with a batch of two fills (90.00 and 12.34) for the pharmacy and one (60.00) for the laboratory. */
export interface FundedWorld extends Peopled {
  batch: string;
  record: string;
  batchId: string;
}

/** Options of batch:fund, but for the claims. */
export const terms = (
  { token, rulebook, path }: Peopled,
  name: string,
): Record<"rulebook" | "token" | "eventBy" | "out" | "record", string> => ({
  rulebook,
  token,
  eventBy: "14d",
  out: path(`${name}.batch.json`),
  record: path(`${name}.record.json`),
});

export async function fundedWorld(): Promise<FundedWorld> {
  const world = await peopledWorld();
  const lines = [
    fill("11", "90.00", npis.pharmacy),
    fill("21", "60.00", npis.laboratory),
    fill("12", "12.34", npis.pharmacy),
  ];
  const claims = world.path("claims.ndjson");
  writeFileSync(claims, lines.map((line) => JSON.stringify(line)).join("\n"));
  const options = terms(world, "batch");
  const { batchId } = await world.does(accounts.payer, "batch:fund", { claims, ...options });
  return { ...world, batch: options.out, record: options.record, batchId: batchId as string };
}

/** A batch under a rulebook of its own, funded by commands. */
export interface RuledBatch {
  rulebook: string;
  batch: string;
  record: string;
  batchId: string;
}

/** Publishes a short rulebook, and funds claims under it. @param options More options of batch:fund */
export async function fundedUnder(
  world: Peopled,
  name: string,
  rules: Json,
  claims: readonly Json[],
  options: Record<string, string> = {},
): Promise<RuledBatch> {
  const { does, file, token } = world;
  const document = { eventKinds: ["dispense", "diagnosticReport"], grace: "3d", ...rules };
  const published = await does(accounts.payer, "rulebook:publish", {
    file: file(`${name}.rules.json`, document),
    token,
  });
  const rulebook = published.id as string;
  const own = { ...terms(world, name), rulebook, claims: file(`${name}.claims.json`, claims), ...options };
  const { batchId } = await does(accounts.payer, "batch:fund", own);
  return { rulebook, batch: own.out, record: own.record, batchId: batchId as string };
}

/** Files of two attesters who say the same. */
export async function attested(
  { does, path }: World,
  file: string,
  options: Record<string, string>,
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const [one, two] = [path(`${Math.random()}.json`), path(`${Math.random()}.json`)];
  await does(accounts.attesters[0], "batch:attest", { file, ...options, out: one }, env);
  await does(accounts.attesters[1], "batch:attest", { file, ...options, with: one, out: two }, env);
  return `${one},${two}`;
}

/** What an account has in the escrow. */
export const balances = async (
  { does, token, address }: World,
  account: string,
): Promise<{ free: string; credit: string }> => {
  const { free, credit } = await does("", "pool:balances", { token, account: address(account) });
  return { free: free as string, credit: credit as string };
};
