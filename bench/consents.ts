import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { type ContractTransactionResponse, getBytes, id } from "ethers";

import type { GrantChainStruct, GrantStruct } from "../typechain-types/contracts/consent/ConsentRegistry";
import {
  DIRECT,
  HPKE_KEY,
  NO_MANDATE,
  NO_RESTRICTIONS,
  type Consents,
  authorize,
  deployConsents,
  documents,
  epochOf,
  grantDigestOf,
  grantOf,
  patientIdOf,
  requestOf,
} from "../test/support/consents";
import { passkey, typesOf } from "../test/support/keys";

type Sign = (grant: GrantStruct) => Promise<string>;

/** Gas of what patients do, whole transactions; `isPermitted`: of the call alone, without a transaction around it. */
export interface ConsentGas {
  "patient.register": number;
  "patient.register.passkey": number;
  "consent.revoke.first": number;
  "consent.revoke": number;
  "consent.revoke.passkey": number;
  "consent.revokeAll": number;
  "consent.isPermitted.account": number;
  "consent.isPermitted.passkey": number;
}

const gasOf = async (sent: Promise<ContractTransactionResponse>): Promise<number> =>
  Number((await (await sent).wait())!.gasUsed);

/** What a transaction pays before its first instruction: no part of a view. */
const intrinsicGasOf = (data: string): number =>
  getBytes(data).reduce((gas, byte) => gas + (byte === 0 ? 4 : 16), 21_000);

/** Measures on contracts that were just deployed. `patient` has ether and acts itself; the passkey's messages are relayed. */
export async function measureConsents(context: Consents, patient: HardhatEthersSigner): Promise<ConsentGas> {
  const { consents, domain } = context;
  const own = consents.connect(patient);
  const salt = id("a salt");
  const record = await own.register.staticCall(salt, HPKE_KEY, DIRECT);
  const registered = await gasOf(own.register(salt, HPKE_KEY, DIRECT));

  const key = passkey("measured", context.webAuthnVerifier);
  const passkeyRecord = patientIdOf(key, salt);
  const registration = authorize(domain, key, "Register", { patient: passkeyRecord, hpkeKey: HPKE_KEY });
  const registeredByPasskey = await gasOf(consents.register(salt, HPKE_KEY, registration));

  const first = await gasOf(own.revokeGrant(record, 0, DIRECT));
  const used = await gasOf(own.revokeGrant(record, 1, DIRECT));
  const revocation = (number: number): ReturnType<typeof authorize> =>
    authorize(domain, key, "RevokeGrant", { patient: passkeyRecord, number });
  await consents.revokeGrant(passkeyRecord, 0, revocation(0));
  const byPasskey = await gasOf(consents.revokeGrant(passkeyRecord, 1, revocation(1)));

  const permitted = async (patientId: string, signer: string, sign: Sign): Promise<number> => {
    const grant = await grantOf(context, patientId, { number: 2 });
    const signature = await sign(grant);
    const chain: GrantChainStruct = { grant, signer, signature, mandate: NO_MANDATE, subGrants: [] };
    const args = [chain, NO_RESTRICTIONS, requestOf(context, patientId)] as const;
    const transaction = await consents.isPermitted.populateTransaction(...args);
    const tracing = { disableStack: true, disableMemory: true, disableStorage: true };
    const trace = (await patient.provider.send("debug_traceCall", [transaction, "latest", tracing])) as { gas: number };
    return Number(trace.gas) - intrinsicGasOf(transaction.data);
  };
  const byAccount = await permitted(record, patient.address, (grant) =>
    patient.signTypedData(domain, typesOf(documents.grant), grant),
  );
  const grantedByPasskey = await permitted(passkeyRecord, key.signer, (grant) =>
    Promise.resolve(key.sign(grantDigestOf(domain, grant))),
  );
  const all = await gasOf(own.revokeAll(record, await epochOf(context, record), DIRECT));
  return {
    "patient.register": registered,
    "patient.register.passkey": registeredByPasskey,
    "consent.revoke.first": first,
    "consent.revoke": used,
    "consent.revoke.passkey": byPasskey,
    "consent.revokeAll": all,
    "consent.isPermitted.account": byAccount,
    "consent.isPermitted.passkey": grantedByPasskey,
  };
}

// By itself: npx hardhat run bench/consents.ts
if (require.main === module)
  void (async () => {
    const { ethers } = await import("hardhat");
    console.log(await measureConsents(await deployConsents(), (await ethers.getSigners())[9]!));
  })();
