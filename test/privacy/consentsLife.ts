import { loadFixture, takeSnapshot, time } from "@nomicfoundation/hardhat-network-helpers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { AbiCoder, ZeroHash, hexlify, keccak256, type TypedDataDomain } from "ethers";
import { ethers } from "hardhat";

import type { AccessLog, ConsentRegistry } from "../../typechain-types";
import type { RestrictionsStruct } from "../../typechain-types/contracts/consent/ConsentRegistry";
import { HPKE_KEY, authorize, patientIdOf, restrictionsHashOf, type Action } from "../support/consents";
import { accountKey, p256Key, passkey, type Key } from "../support/keys";
import { Random } from "../support/random";
import { DAY, deploySystem, kinds, register } from "../support/system";

import { record, type SeenTransaction } from "./recording";

/** How a year of grants and accesses is lived. `true` is careless. */
export interface ConsentsPlan {
  patients: number;
  months: number;
  /** Restrictions are hashed without a salt. */
  unsalted: boolean;
  /** Gateways anchor after each access, and hash the patient without a salt, instead of once a day. */
  anchorsAtOnce: boolean;
  /** Clinics anchor their grants from their own accounts, and number them as the directory numbers clinics. */
  clinicsAct: boolean;
  /** Custodians have keys of one kind, and act themselves in office hours. */
  custodiansAct: boolean;
  /** Parents take grants back as their own documents; otherwise custodians do by number, as for anybody's record. */
  parentsRevoke: boolean;
  /** Patients take back a grant within two days after an access that they see. */
  revokedAfterAccess: boolean;
  /** Some patients have up to six grants at a time, others none; otherwise each has two. */
  uneven: boolean;
  seed: number;
}

/** What was done, for nobody but those who did it. */
export interface ConsentsTruth {
  /** Clinic of the grant that a transaction is about, by hash. */
  grantees: ReadonlyMap<string, string>;
  /** Every access: where, to whom, when. */
  accesses: readonly { gateway: string; patient: string; at: number }[];
  /** Transactions in which a young adult took over. */
  majorities: ReadonlySet<string>;
  /** Which of {@link commonRestrictions} a transaction sets. */
  restrictions: ReadonlyMap<string, number>;
}

/** What anybody knows: the directory, and where the contracts are. */
export interface ConsentsLife {
  seen: SeenTransaction[];
  clinics: readonly string[];
  patients: readonly string[];
  /** Verifier of keys as organizations keep them in security modules. */
  p256Verifier: string;
  truth: ConsentsTruth;
}

const CLINICS = 6;
/** Share of records that are a minor's who comes of age in the year: more than in life, so that a leak would show. */
const COMING_OF_AGE = 0.2;
const HOUR = 3_600;

/** What people refuse: anybody can write this list. */
export const commonRestrictions = (clinics: readonly string[]): Omit<RestrictionsStruct, "salt">[] =>
  [0n, 1n, 2n, 4n].flatMap((purposes) =>
    [0n, 8n].flatMap((categories) =>
      clinics.slice(0, 4).map((clinic) => ({ organizations: [clinic], purposes, categories, breakGlass: true })),
    ),
  );

/** What an unsalted root of one access would be. */
export const rootWithoutSalt = (patient: string, day: number): string =>
  keccak256(AbiCoder.defaultAbiCoder().encode(["bytes32", "uint256"], [patient, day]));

interface Actor {
  id: string;
  salt: string;
  key: Key;
  minor: boolean;
  epoch: bigint;
  versions: { controller: number; hpkeKey: number; restrictions: number };
}

interface World {
  consents: ConsentRegistry;
  log: AccessLog;
  domain: TypedDataDomain;
  clinics: HardhatEthersSigner[];
  verifiers: { p256: string; webAuthn: string };
}

async function deployWorld(): Promise<World> {
  const system = await deploySystem();
  const signers = await ethers.getSigners();
  const relayer = signers[1]!;
  const clinics = signers.slice(2, 2 + CLINICS);
  for (const { address } of clinics) await register(system.registry, address, kinds.clinic | kinds.gateway);
  const verifyingContract = await system.consentRegistry.getAddress();
  const { chainId } = await ethers.provider.getNetwork();
  return {
    consents: system.consentRegistry.connect(relayer),
    log: system.accessLog,
    domain: { name: "Carepact ConsentRegistry", version: "1", chainId, verifyingContract },
    clinics,
    verifiers: { p256: system.p256Verifier, webAuthn: system.webAuthnVerifier },
  };
}

/** Lives it on the deployed contracts, and leaves the chain as it was. */
export async function liveConsents(plan: ConsentsPlan): Promise<ConsentsLife> {
  const world = await loadFixture(deployWorld);
  const snapshot = await takeSnapshot();
  try {
    return await new ConsentsYear(world, plan).live();
  } finally {
    await snapshot.restore();
  }
}

/** Something that happens at its time. */
type Deed = { at: number; run: () => Promise<unknown> };

class ConsentsYear {
  private readonly random: Random;
  private readonly deeds: Deed[] = [];
  private readonly grantees = new Map<string, string>();
  private readonly accesses: { gateway: string; patient: string; at: number }[] = [];
  private readonly majorities = new Set<string>();
  private readonly restrictions = new Map<string, number>();
  private readonly sequences = new Map<string, number>();
  private keys = 0;

  constructor(
    private readonly world: World,
    private readonly plan: ConsentsPlan,
  ) {
    this.random = new Random(plan.seed);
  }

  async live(): Promise<ConsentsLife> {
    const { clinics } = this.world;
    const first = await ethers.provider.getBlockNumber();
    // At midnight, so that hours of the day are the same in every run.
    const start = Math.ceil((await time.latest()) / DAY) * DAY + DAY;
    const end = start + this.plan.months * 30 * DAY;
    const actors = Array.from({ length: this.plan.patients }, () => this.makeActor());
    for (const actor of actors) this.planRecord(actor, start, end);
    this.planRoots(start, end);
    for (const { at, run } of this.deeds.sort((a, b) => a.at - b.at)) {
      if (at > end) break;
      await time.setNextBlockTimestamp(Math.max(at, (await time.latest()) + 1));
      await run();
    }
    const { grantees, accesses, majorities, restrictions } = this;
    return {
      seen: await record(first),
      clinics: clinics.map(({ address }) => address.toLowerCase()),
      patients: actors.map(({ id }) => id),
      p256Verifier: this.world.verifiers.p256.toLowerCase(),
      truth: { grantees, accesses, majorities, restrictions },
    };
  }

  private makeActor(): Actor {
    const minor = this.random.chance(COMING_OF_AGE);
    const key = minor && this.plan.custodiansAct ? this.keyOf("P-256") : this.anyKey();
    const salt = this.secret();
    const id = patientIdOf(key, salt);
    return { id, salt, key, minor, epoch: 1n, versions: { controller: 1, hpkeKey: 1, restrictions: 0 } };
  }

  /** All that happens to a record in its time. */
  private planRecord(actor: Actor, start: number, end: number): void {
    const { random } = this;
    const registered = start + random.below(20 * DAY);
    this.deeds.push({ at: registered, run: () => this.register(actor) });
    // Each for about three months; then, and when it is taken back, there is another one.
    const grants = this.plan.uneven ? random.below(7) : 2;
    for (let slot = 0; slot < grants; slot++) {
      let from = registered + DAY;
      while (from < end) from = this.planGrant(actor, from, end);
    }
    if (random.chance(0.4) && !actor.minor)
      this.deeds.push({ at: this.between(registered, end), run: () => this.restrict(actor) });
    const rotates = actor.minor
      ? "majority"
      : random.chance(0.4)
        ? "lost phone"
        : random.chance(0.2)
          ? "new phone"
          : "";
    if (rotates !== "")
      this.deeds.push({ at: this.between(registered + 30 * DAY, end), run: () => this.rotate(actor, rotates) });
  }

  /** A grant, its accesses, and what shows of it. Returns when it is over. */
  private planGrant(actor: Actor, from: number, end: number): number {
    const { random, plan } = this;
    const { clinics } = this.world;
    const index = random.below(clinics.length);
    const clinic = clinics[index]!;
    const until = from + (60 + random.below(60)) * DAY;
    const accesses = Array.from({ length: 1 + random.below(4) }, () => this.between(from, Math.min(until, end)));
    const anchored = random.chance(0.15);
    const number = plan.clinicsAct ? 100 * random.below(1_000) + index : random.below(2 ** 32);
    const revokedAt = !random.chance(0.3)
      ? undefined
      : plan.revokedAfterAccess
        ? Math.min(...accesses) + HOUR + random.below(2 * DAY)
        : this.between(from, until);
    for (const at of accesses)
      if (at < (revokedAt ?? until)) {
        this.accesses.push({ gateway: clinic.address.toLowerCase(), patient: actor.id, at });
        if (plan.anchorsAtOnce) this.deeds.push({ at: at + 60, run: () => this.append(clinic, actor.id, at) });
      }
    if (anchored) this.deeds.push({ at: from + random.below(DAY), run: () => this.anchor(clinic) });
    if (revokedAt !== undefined) this.deeds.push({ at: revokedAt, run: () => this.revoke(actor, number, clinic) });
    return (revokedAt ?? until) + random.below(10 * DAY);
  }

  /** Once a day, each gateway at its hour. */
  private planRoots(start: number, end: number): void {
    if (this.plan.anchorsAtOnce) return;
    for (const clinic of this.world.clinics) {
      const hour = this.random.below(DAY);
      for (let at = start + hour; at < end; at += DAY) this.deeds.push({ at, run: () => this.append(clinic) });
    }
  }

  private async register(actor: Actor): Promise<void> {
    const { id: patient, salt, key } = actor;
    const signed = this.sign(key, "Register", { patient, hpkeKey: HPKE_KEY });
    await this.world.consents.register(salt, HPKE_KEY, signed);
  }

  private async revoke(actor: Actor, number: number, clinic: HardhatEthersSigner): Promise<void> {
    const { consents } = this.world;
    const { id: patient, key } = actor;
    if (actor.minor && this.plan.parentsRevoke) {
      const document = this.secret();
      const parent = this.anyKey();
      const sent = await consents.revokeOwnDocument(document, this.sign(parent, "RevokeOwnDocument", { document }));
      this.grantees.set(sent.hash, clinic.address.toLowerCase());
      return;
    }
    const sent = await consents.revokeGrant(patient, number, this.sign(key, "RevokeGrant", { patient, number }));
    this.grantees.set(sent.hash, clinic.address.toLowerCase());
  }

  private async anchor(clinic: HardhatEthersSigner): Promise<void> {
    const { consents } = this.world;
    const sent = await (this.plan.clinicsAct ? consents.connect(clinic) : consents).anchor(this.secret());
    this.grantees.set(sent.hash, clinic.address.toLowerCase());
  }

  private async append(clinic: HardhatEthersSigner, patient?: string, at = 0): Promise<void> {
    const sequence = (this.sequences.get(clinic.address) ?? 0) + 1;
    this.sequences.set(clinic.address, sequence);
    const root = patient === undefined ? this.secret() : rootWithoutSalt(patient, Math.floor(at / DAY));
    await this.world.log.connect(clinic).append(sequence, root);
  }

  private async restrict(actor: Actor): Promise<void> {
    const { id: patient, key, versions } = actor;
    const common = commonRestrictions(this.world.clinics.map(({ address }) => address));
    const index = this.random.below(common.length);
    const restrictionsHash = restrictionsHashOf({
      ...common[index]!,
      salt: this.plan.unsalted ? ZeroHash : this.secret(),
    });
    const message = { patient, restrictionsVersion: versions.restrictions, restrictionsHash };
    versions.restrictions += 1;
    const signed = this.sign(key, "SetRestrictions", message);
    const sent = await this.world.consents.setRestrictions(patient, restrictionsHash, signed);
    this.restrictions.set(sent.hash, index);
  }

  /** A new key, and with it a new key for sealing. Only who changes phones keeps the epoch. */
  private async rotate(actor: Actor, why: "majority" | "lost phone" | "new phone"): Promise<void> {
    const { world, plan } = this;
    const { id: patient, key, versions } = actor;
    const next = this.anyKey();
    const endEpoch = why !== "new phone";
    const custodianActs = why === "majority" && plan.custodiansAct;
    if (custodianActs) await this.waitForOfficeHours();
    const consents = custodianActs ? world.consents.connect(world.clinics[0]) : world.consents;
    const controllerVersion = versions.controller;
    const sent = await consents.rotateController(
      patient,
      this.sign(next, "AcceptControl", { patient, controllerVersion }),
      endEpoch,
      this.sign(key, "RotateController", { patient, controllerVersion, newController: next.hash, endEpoch }),
    );
    if (why === "majority") this.majorities.add(sent.hash);
    const hpkeKey = this.secret();
    await world.consents.setPatientHpkeKey(
      patient,
      hpkeKey,
      this.sign(next, "SetPatientHpkeKey", { patient, hpkeKeyVersion: versions.hpkeKey, hpkeKey }),
    );
    actor.key = next;
    actor.minor = false;
    versions.controller += 1;
    versions.hpkeKey += 1;
  }

  private async waitForOfficeHours(): Promise<void> {
    const now = (await time.latest()) + 1;
    const nine = Math.ceil((now - 9 * HOUR) / DAY) * DAY + 9 * HOUR;
    await time.setNextBlockTimestamp(nine + this.random.below(8 * HOUR));
  }

  private sign(key: Key, action: Action, message: Record<string, unknown>) {
    return authorize(this.world.domain, key, action, message);
  }

  /** As many of each kind as there are among patients. */
  private anyKey(): Key {
    return this.keyOf(this.random.of(["passkey", "passkey", "passkey", "P-256", "account"]));
  }

  private keyOf(kind: "passkey" | "P-256" | "account"): Key {
    const { p256, webAuthn } = this.world.verifiers;
    const name = `privacy ${this.keys++}`;
    if (kind === "passkey") return passkey(name, webAuthn);
    return kind === "P-256" ? p256Key(name, p256) : accountKey(name);
  }

  private between(from: number, to: number): number {
    return from + this.random.below(Math.max(1, to - from));
  }

  private secret(): string {
    return hexlify(Uint8Array.from({ length: 32 }, () => this.random.below(256)));
  }
}
