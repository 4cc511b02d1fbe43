import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { dataSlice, getBytes, type TypedDataDomain } from "ethers";
import { ethers } from "hardhat";

import type {
  AuthorizationStruct,
  GrantStruct,
  RestrictionsStruct,
} from "../typechain-types/contracts/consent/ConsentRegistry";
import {
  authorize,
  DIRECT,
  documents,
  EMERGENCY_TREATMENT,
  grantDigestOf,
  MEDICATIONS,
  NO_MANDATE,
  NO_RESTRICTIONS,
  NORMAL,
  patientIdOf,
  RESEARCH,
  restrictionsHashOf,
  RESULTS,
  SEXUAL_HEALTH,
  TREATMENT,
} from "../test/support/consents";
import { passkey, typesOf, type Key } from "../test/support/keys";
import { DAY, kinds, register } from "../test/support/system";

import type { Chain } from "./chain";
import type { Gas } from "./compare";
import { START, fixedBytes, withoutZeroBytes } from "./fixed";

/** Entries that the root of the access log's row covers. On chain a root is 32 bytes, however many there are. */
const ENTRIES = 1_000;

const HPKE_KEY = fixedBytes("HPKE key of a patient", 32);

/** Numbers of grants are random, and rarely have zeros. These are of one word of the bitmap. */
const [FIRST, SECOND, GRANTED] = [0x81828384, 0x81828385, 0x81828386];

/** Later than the clock of any row. */
const DEADLINE = START + 400 * DAY;

/** Who takes part beside the escrow's people. */
interface People {
  /** Has ether, and acts itself. */
  owner: HardhatEthersSigner;
  /** Has none: somebody else brings what it signed. */
  key: Key;
  clinic: HardhatEthersSigner;
  gateway: HardhatEthersSigner;
  /** Of the consent registry. */
  domain: TypedDataDomain;
}

/** Ids of their records. */
interface Records {
  ofOwner: string;
  ofKey: string;
}

/** Measures what patients and gateways do. */
export async function measureConsents(chain: Chain): Promise<Gas> {
  const people = await peopleOf(chain);
  const { records, byOwner, byKey } = await registerBoth(chain, people);
  const revoked = await revokeTwice(chain, people, records);
  const revokedByKey = await revokeTwiceByKey(chain, people, records);
  const views = await checkGrants(chain, people, records);
  const { consentRegistry } = chain;
  const { epoch } = await consentRegistry.patientOf(records.ofOwner);
  return {
    "patient.register": byOwner,
    "patient.register.passkey": byKey,
    "consent.revoke": revoked.second,
    "consent.revoke.first": revoked.first,
    "consent.revoke.passkey": revokedByKey,
    "consent.revokeAll": await chain.gasOf(() =>
      consentRegistry.connect(people.owner).revokeAll(records.ofOwner, epoch, DIRECT),
    ),
    "accessLog.append.1000.perEntry": Number(((await append(chain, people)) / ENTRIES).toFixed(2)),
    ...views,
  };
}

async function peopleOf(chain: Chain): Promise<People> {
  const [owner, clinic, gateway] = (await ethers.getSigners()).slice(4, 7) as [
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
  ];
  await register(chain.registry, clinic.address, kinds.clinic);
  await register(chain.registry, gateway.address, kinds.gateway);
  const { chainId } = await ethers.provider.getNetwork();
  const verifyingContract = await chain.consentRegistry.getAddress();
  return {
    owner,
    key: passkey("benchmark", chain.webAuthnVerifier),
    clinic,
    gateway,
    domain: { name: "Carepact ConsentRegistry", version: "1", chainId, verifyingContract },
  };
}

/** r and s. What else is in a passkey's signature comes from the browser, and has zeros by its nature. */
const sealOf = (signature: AuthorizationStruct["signature"]): string => dataSlice(signature, 0, 64);

async function registerBoth(
  chain: Chain,
  { owner, key, domain }: People,
): Promise<{ records: Records; byOwner: number; byKey: number }> {
  const { consentRegistry, relayer } = chain;
  const salt = fixedBytes("salt of a record", 32);
  const own = consentRegistry.connect(owner);
  const ofOwner = await own.register.staticCall(salt, HPKE_KEY, DIRECT);
  const byOwner = await chain.gasOf(() => own.register(salt, HPKE_KEY, DIRECT));

  const relayed = await withoutZeroBytes(
    (attempt) => {
      const keySalt = fixedBytes(`salt of a passkey's record ${attempt}`, 32);
      const patient = patientIdOf(key, keySalt);
      const authorization = authorize(domain, key, "Register", { patient, hpkeKey: HPKE_KEY });
      return { keySalt, patient, authorization };
    },
    ({ patient, authorization }) => [patient, sealOf(authorization.signature)],
  );
  const byKey = await chain.gasOf(() =>
    consentRegistry.connect(relayer).register(relayed.keySalt, HPKE_KEY, relayed.authorization),
  );
  return { records: { ofOwner, ofKey: relayed.patient }, byOwner, byKey };
}

/** Two grants of one word of the bitmap. */
async function revokeTwice(
  chain: Chain,
  { owner }: People,
  { ofOwner }: Records,
): Promise<{ first: number; second: number }> {
  const own = chain.consentRegistry.connect(owner);
  const first = await chain.gasOf(() => own.revokeGrant(ofOwner, FIRST, DIRECT));
  const second = await chain.gasOf(() => own.revokeGrant(ofOwner, SECOND, DIRECT));
  await requireRevoked(chain, ofOwner);
  return { first, second };
}

/** The second of two by passkey. The deadline is what it is chosen by, since the grants' numbers are given. */
async function revokeTwiceByKey(chain: Chain, { key, domain }: People, { ofKey }: Records): Promise<number> {
  const relayed = chain.consentRegistry.connect(chain.relayer);
  const revoke = async (number: number): Promise<number> => {
    const authorization = await withoutZeroBytes(
      (attempt) => authorize(domain, key, "RevokeGrant", { patient: ofKey, number }, DEADLINE + attempt),
      ({ signature }) => [sealOf(signature)],
    );
    return chain.gasOf(() => relayed.revokeGrant(ofKey, number, authorization));
  };
  await revoke(FIRST);
  const second = await revoke(SECOND);
  await requireRevoked(chain, ofKey);
  return second;
}

async function requireRevoked({ consentRegistry }: Chain, patient: string): Promise<void> {
  for (const number of [FIRST, SECOND])
    if (!(await consentRegistry.isGrantRevoked(patient, number))) throw new Error(`Grant ${number} is not revoked.`);
}

/** One grant to the clinic, by an account and by a passkey, and by the passkey under restrictions. */
async function checkGrants(chain: Chain, people: People, { ofOwner, ofKey }: Records): Promise<Gas> {
  const { owner, key, domain } = people;
  const byOwner = await permitted(chain, people, ofOwner, owner.address, (grant) =>
    owner.signTypedData(domain, typesOf(documents.grant), grant),
  );
  const byPasskey = (restrictions?: RestrictionsStruct): Promise<number> =>
    permitted(chain, people, ofKey, key.signer, (grant) => key.sign(grantDigestOf(domain, grant)), restrictions);
  const free = await byPasskey();

  const restrictions: RestrictionsStruct = {
    salt: fixedBytes("salt of restrictions", 32),
    organizations: [1, 2, 3].map((number) => fixedBytes(`restricted organization ${number}`, 20)),
    purposes: RESEARCH,
    categories: SEXUAL_HEALTH,
    breakGlass: false,
  };
  const restrictionsHash = restrictionsHashOf(restrictions);
  const message = { patient: ofKey, restrictionsVersion: 0, restrictionsHash };
  const authorization = authorize(domain, key, "SetRestrictions", message);
  const { consentRegistry, relayer } = chain;
  await chain.gasOf(() => consentRegistry.connect(relayer).setRestrictions(ofKey, restrictionsHash, authorization));
  return {
    "consent.isPermitted": byOwner,
    "consent.isPermitted.passkey": free,
    "consent.isPermitted.passkey.restricted": await byPasskey(restrictions),
  };
}

/** Gas of the call, without a transaction around it: contracts and nodes ask this, nobody sends it. */
async function permitted(
  { consentRegistry, relayer }: Chain,
  { clinic }: People,
  patient: string,
  signer: string,
  sign: (grant: GrantStruct) => Promise<string> | string,
  restrictions = NO_RESTRICTIONS,
): Promise<number> {
  const { epoch } = await consentRegistry.patientOf(patient);
  const { grant, signature } = await withoutZeroBytes(
    async (attempt) => {
      const made: GrantStruct = {
        patient,
        number: GRANTED,
        grantee: clinic.address,
        purposes: TREATMENT,
        categories: MEDICATIONS | RESULTS,
        ceiling: NORMAL,
        notBefore: START,
        expiry: DEADLINE,
        subGrants: 0,
        epoch,
        salt: fixedBytes(`salt of a grant ${attempt}`, 32),
        instrument: fixedBytes("FHIR Consent", 32),
      };
      return { grant: made, signature: await sign(made) };
    },
    ({ signature: made }) => [sealOf(made)],
  );
  const call: Parameters<typeof consentRegistry.isPermitted.staticCall> = [
    { grant, signer, signature, mandate: NO_MANDATE, subGrants: [] },
    restrictions,
    {
      patient,
      organization: clinic.address,
      purposes: EMERGENCY_TREATMENT,
      categories: MEDICATIONS,
      confidentiality: NORMAL,
    },
  ];
  // What is refused early is cheap.
  const [isPermitted, reason] = await consentRegistry.isPermitted(...call);
  if (!isPermitted) throw new Error(`The grant is refused, for reason ${reason}.`);
  const { to, data } = await consentRegistry.isPermitted.populateTransaction(...call);
  const tracing = { disableStack: true, disableMemory: true, disableStorage: true };
  // By somebody else than the signer, whose account the call would find at a lower price.
  const asked = [{ from: relayer.address, to, data }, "latest", tracing];
  const { gas } = (await ethers.provider.send("debug_traceCall", asked)) as { gas: number };
  return Number(gas) - intrinsicGasOf(data);
}

/** What a transaction pays before its first instruction: no part of a view. */
const intrinsicGasOf = (data: string): number =>
  getBytes(data).reduce((gas, byte) => gas + (byte === 0 ? 4 : 16), 21_000);

/** The second root of a gateway. */
async function append(chain: Chain, { gateway }: People): Promise<number> {
  const accessLog = chain.accessLog.connect(gateway);
  await chain.gasOf(() => accessLog.append(1, fixedBytes("first root", 32)));
  const gas = await chain.gasOf(() => accessLog.append(2, fixedBytes("second root", 32)));
  const { sequence } = await accessLog.logOf(gateway);
  if (sequence !== 2n) throw new Error(`The gateway has anchored ${sequence} roots.`);
  return gas;
}
