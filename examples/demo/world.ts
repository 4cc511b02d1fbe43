import { HardhatArtifactResolver } from "@nomicfoundation/hardhat-ignition/helpers";
import { deploy, DeploymentResultType } from "@nomicfoundation/ignition-core";
import { id, Wallet, type ContractRunner } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types";

import { formatAmount, run, type Connection, type Deployment, type Mined, type Token } from "@carepact/sdk";
import { createClaims, type Claims } from "@carepact/sdk/claims";
import { generateSealingKeys, type SealingKeyPair } from "@carepact/sdk/encryption";
import { createOrganizations, type Organization } from "@carepact/sdk/organizations";
import { createPools, type Pools } from "@carepact/sdk/pools";
import { createRulebooks, eventKinds, simpleRulebook } from "@carepact/sdk/rulebooks";

import Carepact from "../../deploy/Carepact";

import { pharmacyNames, type PharmacyName } from "./assigned";
import { oracleNetworkOn, type OracleNetwork } from "./oracleNetwork";
import type { Screen } from "./print";

/** Somebody who takes part, and the SDK in that one's hands. */
export interface Party {
  name: string;
  account: string;
  connection: Connection;
  claims: Claims;
  pools: Pools;
}

/** A party that is paid, with the key that opens its parts of claim batch files. */
export interface Payee extends Party {
  keys: SealingKeyPair;
}

/** A pharmacy, with the NPI under which it bills. */
export interface Pharmacy extends Payee {
  npi: string;
}

/** Money of one account in base units: tokens in its wallet, free balance and credit in the escrow. */
export interface Money {
  wallet: bigint;
  free: bigint;
  credit: bigint;
}

/** The deployed system, everybody who takes part, and the chain's clock. */
export interface World {
  screen: Screen;
  deployment: Deployment;
  runner: ContractRunner;
  token: Token;
  /** Ids of the published rulebooks: 2 of 3 attesters each. */
  rulebooks: { dispense: string; diagnosticReport: string };
  payer: Party;
  pharmacies: Readonly<Record<PharmacyName, Pharmacy>>;
  laboratory: Payee;
  /** Neither payer nor payee nor attester: sends what anyone may send. */
  passerBy: Party;
  attesters: Party[];
  /** Chainlink's forwarder, and the network whose reports it takes. */
  oracles: OracleNetwork;
  /** Somebody who comes later, under a new account, with ether where it sends transactions. In no directory. */
  arrive: (name: string, sends: boolean) => Promise<Party>;
  /** Registers an organization that comes later. */
  join: (name: string, kind: Organization["kinds"][number], sends: boolean, npi?: string) => Promise<Payee>;
  /** Everybody who came later. */
  arrived: Party[];
  /** Mints dollars for a payer, who puts them into its pool. */
  fillPool: (payer: Party, dollars: string) => Promise<Mined>;
  /** Gas of each transaction by scene and verb, as it goes into the JSON line. */
  gas: Record<string, Record<string, number>>;
  /** Time of the newest block, unix seconds. */
  now: () => Promise<number>;
  /** Lets time pass on the chain until `timestamp`. */
  advanceTo: (timestamp: number) => Promise<void>;
  moneyOf: (party: Party) => Promise<Money>;
  /** Base units as dollars. */
  show: (amount: bigint) => string;
  /** Notes the gas of a transaction and hands its outcome on. */
  spend: <Result extends Mined>(scene: string, verb: string, sent: Promise<Result>) => Promise<Result>;
}

const DAY = 24 * 60 * 60;
const POOL = "6000.00";

const RULES = "2 of 3 attesters say what happened; attestations land within 3 days after the last day of the event.";

/** Made up, with valid check digits. Numbers that are issued begin with 1. */
const npis: Record<PharmacyName | "Laboratory", string> = {
  "Pharmacy A": "2900000011",
  "Pharmacy B": "2900000029",
  "Pharmacy C": "2900000037",
  "Pharmacy D": "2900000045",
  Laboratory: "2900000052",
};

/** The whole system, deployed anew. Nothing is left on disk: the next run deploys its own. */
async function deployAnew(hre: HardhatRuntimeEnvironment, forwarder: string): Promise<Deployment> {
  const { provider } = hre.network;
  const accounts = (await provider.request({ method: "eth_accounts" })) as string[];
  const startBlock = Number(await provider.request({ method: "eth_blockNumber" })) + 1;
  const result = await deploy({
    ignitionModule: Carepact,
    provider,
    accounts,
    artifactResolver: new HardhatArtifactResolver(hre),
    // Whoever grants roles is somebody else than who deploys, as it would be in earnest.
    deploymentParameters: { Carepact: { governance: accounts.at(-1) ?? "", forwarder } },
    // The chains of this demo mine at once; Ignition's own second would only be waited for.
    config: { blockPollingInterval: 20 },
  });
  if (result.type !== DeploymentResultType.SUCCESSFUL_DEPLOYMENT)
    throw new Error(`The deployment failed: ${JSON.stringify(result)}`);
  const at = (name: string): string => {
    const contract = Object.values(result.contracts).find((entry) => entry.id === `${Carepact.id}#${name}`);
    if (contract === undefined) throw new Error(`The deployment has no ${name}.`);
    return hre.ethers.getAddress(contract.address);
  };
  return {
    chainId: Number(await provider.request({ method: "eth_chainId" })),
    accessManager: at("AccessManager"),
    organizationRegistry: at("OrganizationRegistry"),
    rulebooks: at("Rulebooks"),
    mandates: at("Mandates"),
    claimEscrow: at("ClaimEscrow"),
    consentRegistry: at("ConsentRegistry"),
    patientRecovery: at("PatientRecovery"),
    accessLog: at("AccessLog"),
    p256Verifier: at("ERC7913P256Verifier"),
    webAuthnVerifier: at("ERC7913WebAuthnVerifier"),
    webAuthnOriginVerifier: at("WebAuthnOriginVerifier"),
    startBlock,
  };
}

/** Deploys the system and the test stablecoin, registers everybody, publishes the rulebooks, fills the payer's pool. */
export async function makeWorld(hre: HardhatRuntimeEnvironment, screen: Screen): Promise<World> {
  const { ethers } = hre;
  screen.title("Setting the stage");
  screen.say(`Deploying the contracts on network ${hre.network.name} ...`);
  const oracles = await oracleNetworkOn(hre);
  const deployment = await deployAnew(hre, oracles.forwarder);
  const coin = await ethers.deployContract("TestStablecoin", ["Test Dollar", "TUSD", 6]);
  const token: Token = { address: await coin.getAddress(), symbol: "TUSD", decimals: 6 };

  const signers = await ethers.getSigners();
  const party = (name: string, runner: ContractRunner, account: string): Party => {
    const connection: Connection = { runner, deployment };
    return { name, account, connection, claims: createClaims(connection), pools: createPools(connection) };
  };
  let next = 0;
  const fromNode = (name: string): Party => {
    const signer = signers[next++];
    if (signer === undefined) throw new Error(`The node has only ${signers.length} accounts: too few for the demo.`);
    return party(name, signer, signer.address);
  };
  const offNode = (name: string): Party => {
    const wallet = Wallet.createRandom();
    return party(name, wallet.connect(ethers.provider), wallet.address);
  };
  const admin = fromNode("Credentialing office");
  const payer = fromNode("Payer");
  const organizations = createOrganizations({ runner: signers[0] as ContractRunner, deployment });
  const enrol = async (who: Party, kind: Organization["kinds"][number], npi?: string): Promise<SealingKeyPair> => {
    const keys = await generateSealingKeys();
    const entry = { name: `${who.name} of the demo`, kinds: [kind], hpkeKey: keys.publicKey };
    await run(organizations.register(who.account, { ...entry, ...(npi === undefined ? {} : { npi }) }));
    return keys;
  };
  await enrol(payer, "payer");
  const pharmacies = {} as Record<PharmacyName, Pharmacy>;
  for (const name of pharmacyNames) {
    const pharmacy = fromNode(name);
    pharmacies[name] = { ...pharmacy, npi: npis[name], keys: await enrol(pharmacy, "pharmacy", npis[name]) };
  }
  const lab = fromNode("Laboratory");
  const laboratory = { ...lab, keys: await enrol(lab, "laboratory", npis.Laboratory) };
  const passerBy = fromNode("Passer-by");

  // Attesters only sign, so that they need no account on the node.
  const attesters = ["Attester 1", "Attester 2", "Attester 3"].map(offNode);
  const publishing = createRulebooks({ runner: signers[0] as ContractRunner, deployment });
  const publish = async (kind: number): Promise<string> => {
    const accounts = attesters.map(({ account }) => account);
    const rulebook = { attesters: accounts, threshold: 2, eventKinds: kind, grace: 3 * DAY, documentHash: id(RULES) };
    return (await run(publishing.publish(simpleRulebook(rulebook)))).id;
  };
  const rulebooks = {
    dispense: await publish(eventKinds.dispense),
    diagnosticReport: await publish(eventKinds.diagnosticReport),
  };

  const world: World = {
    screen,
    deployment,
    runner: ethers.provider,
    token,
    rulebooks,
    payer,
    pharmacies,
    laboratory,
    passerBy,
    attesters,
    oracles,
    arrive: async (name, sends) => {
      const somebody = offNode(name);
      const ether = { to: somebody.account, value: ethers.parseEther("1") };
      if (sends) await (await signers[0]?.sendTransaction(ether))?.wait();
      world.arrived.push(somebody);
      return somebody;
    },
    join: async (name, kind, sends, npi) => {
      const organization = await world.arrive(name, sends);
      return { ...organization, keys: await enrol(organization, kind, npi) };
    },
    arrived: [],
    fillPool: async ({ account, pools }, dollars) => {
      const amount = ethers.parseUnits(dollars, token.decimals);
      await (await coin.getFunction("mint")(account, amount)).wait();
      return run(pools.depositWithPermit({ token: token.address, amount }));
    },
    gas: {},
    now: async () => (await ethers.provider.getBlock("latest"))?.timestamp ?? 0,
    advanceTo: async (timestamp) => {
      await hre.network.provider.send("evm_increaseTime", [timestamp - (await world.now())]);
      await hre.network.provider.send("evm_mine", []);
    },
    moneyOf: async ({ account }) => ({
      wallet: await coin.getFunction("balanceOf")(account),
      ...(await payer.pools.balances({ account, token: token.address })),
    }),
    show: (amount) => formatAmount(amount, token),
    spend: async (scene, verb, sent) => {
      const mined = await sent;
      (world.gas[scene] ??= {})[verb] = Number(mined.gasUsed);
      return mined;
    },
  };
  introduce(world, admin);

  await world.spend("pool", "deposit", world.fillPool(payer, POOL));
  screen.say(
    `The payer, given ${POOL} ${token.symbol}, puts all of it into its pool: one transaction, with a signed permit.`,
  );
  return world;
}

function introduce({ screen, deployment, token, payer, pharmacies, laboratory, attesters }: World, admin: Party): void {
  screen.table(
    ["who", "account", "what for"],
    [
      ["Escrow", deployment.claimEscrow, "holds the money of claim batches"],
      [token.symbol, token.address, "test stablecoin, 6 decimals: stands in for a regulated one"],
      [admin.name, admin.account, "registers the organizations"],
      [payer.name, payer.account, "decides claims, funds them"],
      ...Object.values(pharmacies).map(({ name, account }) => [name, account, "dispenses, is paid"]),
      [laboratory.name, laboratory.account, "tests, is paid"],
      ...attesters.map(({ name, account }) => [
        name,
        account,
        "says under signature what happened; 2 of 3 have to agree",
      ]),
    ],
  );
  screen.say("Organizations, their numbers and keys are made up by the demo; keys and attesters are new in every run.");
}

/** For what the demo itself counts on. */
export function ensure(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`The demo expected that ${what}. It is not so.`);
}
