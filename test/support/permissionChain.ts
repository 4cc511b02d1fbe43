import { takeSnapshot, time } from "@nomicfoundation/hardhat-network-helpers";
import { id } from "ethers";

import { permissionReasons } from "@carepact/sdk/consents";

import type {
  GrantChainStruct,
  GrantStruct,
  RepresentativeMandateStruct,
  RequestStruct,
  RestrictionsStruct,
  SubGrantStruct,
} from "../../typechain-types/contracts/consent/ConsentRegistry";
import {
  NO_MANDATE,
  NO_RESTRICTIONS,
  anchorOf,
  authorize,
  deployConsents,
  epochOf,
  grantDigestOf,
  mandateDigestOf,
  registerPatient,
  restrictionsHashOf,
  rotate,
  subGrantDigestOf,
  type Consents,
} from "./consents";
import { accountKey, contractKey, p256Key, passkey, type Key } from "./keys";
import type { PermissionCase } from "./permissionCases";
import type {
  Answer,
  ModelGrant,
  ModelMandate,
  ModelRequest,
  ModelRestrictions,
  ModelSubGrant,
  Signature,
} from "./permissionModel";
import { HOUR, NOW, knownDocuments, world } from "./permissionWorld";
import { kinds } from "./system";

/** The world of the model on chain: names are keys, ids and salts here, and a document's name is its digest. */
export interface PermissionChain {
  /** What the contract answers. */
  ask(question: PermissionCase): Promise<Answer>;
  /** Puts the chain, and its time, back to where it was. */
  leave(): Promise<void>;
}

/** Kinds of the two keys that each record has had; the other records have accounts. */
const KEY_KINDS: Readonly<Record<string, "P-256" | "passkey" | "ERC-1271">> = {
  other: "P-256",
  restricted: "passkey",
  restrictedOpen: "ERC-1271",
};
/** Organizations whose account is a contract (ERC-1271). */
const CONTRACTS = ["hospital"];

/** Sets the world of the model up on chain. The clock ends at its `NOW`, in the year 2033. */
export async function bindWorld(): Promise<PermissionChain> {
  const snapshot = await takeSnapshot();
  const context = await deployConsents();
  const keys = new Map<string, Key>();
  for (const [name, { controllers }] of world.patients)
    for (const { key } of controllers) keys.set(key, await keyFor(context, key, KEY_KINDS[name]));
  for (const name of world.organizations.keys())
    keys.set(name, CONTRACTS.includes(name) ? await contractKey(name) : accountKey(name));
  const chain = new BoundWorld(context, keys);
  await chain.setUp();
  return { ask: (question) => chain.ask(question), leave: () => snapshot.restore() };
}

async function keyFor({ p256Verifier, webAuthnVerifier }: Consents, name: string, kind?: string): Promise<Key> {
  if (kind === "P-256") return p256Key(name, p256Verifier);
  if (kind === "passkey") return passkey(name, webAuthnVerifier);
  return kind === "ERC-1271" ? contractKey(name) : accountKey(name);
}

type ModelDocument = ModelGrant | ModelMandate | ModelSubGrant;

class BoundWorld {
  private readonly patients = new Map<string, string>();
  private readonly epochs = new Map<string, bigint>();
  /** Digests of what the world knows. */
  private readonly digests = new Map<string, string>();

  constructor(
    private readonly context: Consents,
    private readonly keys: ReadonlyMap<string, Key>,
  ) {}

  async setUp(): Promise<void> {
    const { organizations, admin } = this.context;
    for (const [name, { kinds: named, suspended }] of world.organizations) {
      const bits = named.reduce((sum, kind) => sum | kinds[kind], 0);
      await organizations.connect(admin).register(this.accountOf(name), organizationOf(name, bits));
      if (suspended) await organizations.connect(admin).suspend(this.accountOf(name));
    }
    const anchoredBetween = (from: number, to: number) => this.anchor(([, at]) => at >= from && at < to);

    await time.increaseTo(NOW - 1_000 * HOUR);
    for (const name of world.patients.keys()) await this.register(name);
    for (const document of knownDocuments) this.digests.set(document.name, this.digestOf(document));
    await time.increaseTo(NOW - 200 * HOUR);
    await anchoredBetween(0, NOW - 100 * HOUR);
    await time.increaseTo(NOW - 100 * HOUR);
    for (const [name, id] of this.patients)
      await rotate(this.context, id, this.keyOf(`${name}/former`), this.keyOf(`${name}/controller`));
    await time.increaseTo(NOW - 50 * HOUR);
    await anchoredBetween(NOW - 100 * HOUR, NOW);
    for (const name of world.patients.keys()) await this.takeBack(name);
    for (const entry of world.revocations) await this.revokeDocument(...(entry.split(" ") as [string, string]));
    for (const name of world.patients.keys()) await this.end(name);
    await time.increaseTo(NOW);
  }

  async ask({ kind, chain, restrictions, request }: PermissionCase): Promise<Answer> {
    const { consents } = this.context;
    const brought = restrictions === undefined ? NO_RESTRICTIONS : this.restrictionsOf(restrictions);
    const [permitted, reason] =
      kind === "breakGlass"
        ? await consents.isBreakGlassPermitted(brought, this.requestOf(request))
        : kind === "represented"
          ? await consents.isRepresented(this.mandateOf(chain.mandate), request.purposes, request.categories)
          : await consents.isPermitted(this.chainOf(chain), brought, this.requestOf(request));
    const name = permissionReasons[Number(reason)];
    if (name === undefined) throw new Error(`no reason has the number ${reason}`);
    return { permitted, reason: name };
  }

  /** Registers a record of a former epoch and a present one, both of the key that will be the former. */
  private async register(name: string): Promise<void> {
    const { context } = this;
    const key = this.keyOf(`${name}/former`);
    const patient = await registerPatient(context, key, name);
    const message = { patient, epoch: 1 };
    await context.consents.revokeAll(patient, 1, authorize(context.domain, key, "RevokeAll", message));
    this.patients.set(name, patient);
    this.epochs.set(name, await epochOf(context, patient));
  }

  private async anchor(when: (entry: [string, number]) => boolean): Promise<void> {
    for (const [name] of [...world.anchors].filter(when)) {
      const document = knownDocuments.find((known) => known.name === name);
      if (document === undefined || !("signer" in document)) throw new Error(`nobody signs ${name}`);
      const digest = this.digestOf(document);
      await this.context.consents.anchor(anchorOf(digest, this.keyOf(document.signer).sign(digest)));
    }
  }

  /** Numbers that were revoked, and restrictions. */
  private async takeBack(name: string): Promise<void> {
    const { consents, domain } = this.context;
    const patient = this.patientOf(name);
    const key = this.keyOf(`${name}/controller`);
    const { revokedNumbers, restrictions } = world.patients.get(name) ?? {};
    for (const number of revokedNumbers ?? [])
      await consents.revokeGrant(patient, number, authorize(domain, key, "RevokeGrant", { patient, number }));
    if (restrictions === undefined) return;
    const restrictionsHash = restrictionsHashOf(this.restrictionsOf(restrictions));
    const message = { patient, restrictionsVersion: 0, restrictionsHash };
    await consents.setRestrictions(patient, restrictionsHash, authorize(domain, key, "SetRestrictions", message));
  }

  private async revokeDocument(revoker: string, name: string): Promise<void> {
    const { consents, domain } = this.context;
    const document = this.digests.get(name) ?? id(name);
    if (!this.patients.has(revoker)) {
      const authorization = authorize(domain, this.keyOf(revoker), "RevokeOwnDocument", { document });
      await consents.revokeOwnDocument(document, authorization);
      return;
    }
    const patient = this.patientOf(revoker);
    const key = this.keyOf(`${revoker}/controller`);
    await consents.revokeDocument(patient, document, authorize(domain, key, "RevokeDocument", { patient, document }));
  }

  private async end(name: string): Promise<void> {
    const { consents, domain } = this.context;
    const patient = this.patientOf(name);
    const key = this.keyOf(`${name}/controller`);
    const status = world.patients.get(name)?.status;
    if (status === "deactivated")
      await consents.deactivatePatient(patient, authorize(domain, key, "DeactivatePatient", { patient }));
    if (status !== "merged") return;
    const into = this.patientOf("other");
    const message = { from: patient, into };
    await consents.mergePatients(
      patient,
      into,
      authorize(domain, key, "MergePatients", message),
      authorize(domain, this.keyOf("other/controller"), "MergePatients", message),
    );
  }

  private chainOf({ grant, mandate, subGrants }: PermissionCase["chain"]): GrantChainStruct {
    const digests = new Map(this.digests);
    const digest = this.digestOf(grant);
    digests.set(grant.name, digest);
    let holder = grant.grantee;
    const passedOn = subGrants.map((model) => {
      const subGrant = this.subGrantOf(model, digests);
      const digest = subGrantDigestOf(this.context.domain, subGrant);
      digests.set(model.name, digest);
      const signature = this.sign(holder, digest, model.signature);
      holder = model.grantee;
      return { subGrant, signature };
    });
    return {
      grant: this.grantOf(grant),
      signer: this.keyOf(grant.signer).signer,
      signature: this.sign(grant.signer, digest, grant.signature),
      mandate: mandate === undefined ? NO_MANDATE : this.mandateOf(mandate),
      subGrants: passedOn,
    };
  }

  private mandateOf(model: ModelMandate | undefined): GrantChainStruct["mandate"] {
    if (model === undefined) return NO_MANDATE;
    const signature = this.sign(model.signer, this.digestOf(model), model.signature);
    return { mandate: this.mandateStructOf(model), signer: this.keyOf(model.signer).signer, signature };
  }

  private digestOf(model: ModelDocument): string {
    const { domain } = this.context;
    if ("representative" in model) return mandateDigestOf(domain, this.mandateStructOf(model));
    if ("parent" in model) return subGrantDigestOf(domain, this.subGrantOf(model, this.digests));
    return grantDigestOf(domain, this.grantOf(model));
  }

  private grantOf(model: ModelGrant): GrantStruct {
    const { number, purposes, categories, ceiling, notBefore, expiry, subGrants } = model;
    return {
      patient: this.patientOf(model.patient),
      number,
      grantee: this.accountOf(model.grantee),
      purposes,
      categories,
      ceiling,
      notBefore,
      expiry,
      subGrants,
      epoch: this.epochNamed(model.patient, model.epoch),
      salt: id(model.name),
      instrument: id(`FHIR Consent of ${model.name}`),
    };
  }

  private subGrantOf(model: ModelSubGrant, digests: ReadonlyMap<string, string>): SubGrantStruct {
    const { purposes, categories, ceiling, notBefore, expiry, subGrants } = model;
    const parent = digests.get(model.parent) ?? id(model.parent);
    const grantee = this.accountOf(model.grantee);
    return { parent, grantee, purposes, categories, ceiling, notBefore, expiry, subGrants, salt: id(model.name) };
  }

  private mandateStructOf(model: ModelMandate): RepresentativeMandateStruct {
    const { purposes, categories, notBefore, end } = model;
    return {
      patient: this.patientOf(model.patient),
      representative: this.keyOf(model.representative).hash,
      custodian: model.custodian === undefined ? NO_MANDATE.mandate.custodian : this.accountOf(model.custodian),
      purposes,
      categories,
      notBefore,
      end,
      epoch: this.epochNamed(model.patient, model.epoch),
      salt: id(model.name),
    };
  }

  private restrictionsOf(model: ModelRestrictions): RestrictionsStruct {
    const { purposes, categories, breakGlass } = model;
    const organizations = model.organizations.map((name) => this.accountOf(name));
    return { salt: id(model.name), organizations, purposes, categories, breakGlass };
  }

  private requestOf({ patient, organization, ...asked }: ModelRequest): RequestStruct {
    return { patient: this.patientOf(patient), organization: this.accountOf(organization), ...asked };
  }

  /** A signature, or one that is bad in a way that depends on the document. */
  private sign(name: string, digest: string, worth: Signature): string {
    const key = this.keyOf(name);
    if (worth === "good") return key.sign(digest);
    const ways = [
      () => key.sign(id("another document")),
      () => accountKey("forger").sign(digest),
      () => altered(key.sign(digest)),
      () => "0x",
    ];
    const way = ways[Number(BigInt(digest) % BigInt(ways.length))] ?? (() => "0x");
    return way();
  }

  private epochNamed(patient: string, name: string): bigint {
    if (name === "past") return 1n;
    const current = this.epochs.get(patient) ?? 1n;
    return name === "current" ? current : current + 1n;
  }

  /** Whoever has no key of its own kind has an account. */
  private keyOf(name: string): Key {
    return this.keys.get(name) ?? accountKey(name);
  }

  /** An account's signer is its address. */
  private accountOf(name: string): string {
    return this.keyOf(name).signer;
  }

  private patientOf(name: string): string {
    return this.patients.get(name) ?? id(name);
  }
}

const organizationOf = (name: string, bits: number) => ({
  kinds: bits,
  npi: 0,
  ncpdpId: 0,
  clia: "0x00000000000000000000",
  hpkeKey: id(`HPKE key of ${name}`),
  name,
  endpoint: "",
});

/** Another first digit: of r. What a passkey's signature ends with may be bytes that nobody reads. */
const altered = (signature: string): string => `0x${signature.startsWith("0x0") ? "1" : "0"}${signature.slice(3)}`;
