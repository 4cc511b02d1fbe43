import { setCode, time } from "@nomicfoundation/hardhat-network-helpers";
import { ethers } from "hardhat";
import {
  type ContractTransactionResponse,
  concat,
  dataLength,
  id,
  keccak256,
  sha256,
  toBeHex,
  toUtf8Bytes,
} from "ethers";

import { attestationDigestOf, encodeResults, type EscrowRef, type GroupResult } from "@carepact/sdk/claims";

import type { RulebookStruct } from "../../../typechain-types/contracts/rulebooks/Rulebooks";
import type { TestBatch } from "../../support/batches";
import { type Claims, deployClaims, fundedBatch } from "../../support/claims";
import {
  ORDER,
  accountKey,
  assertionOf,
  contractKey,
  p256Key,
  passkey,
  publicKeyOf,
  type Key,
} from "../../support/keys";
import { DAY, publish, rulebookOf } from "../../support/system";

export const kindsOfKey = ["account", "contract", "p256", "passkey", "pagePasskey"] as const;
export type KindOfKey = (typeof kindsOfKey)[number];

/** The whole system, with attesters of every kind of key. */
export interface Suspensions extends Claims {
  keys: Record<KindOfKey, Key>;
  /** One of `keys`. */
  anyOfAll: string;
  /** Three accounts. */
  accounts: [Key, Key, Key];
  /** 2 of `accounts`, which the suspender may suspend. */
  listed: string;
}

/** Deploys all of it. For loadFixture. */
export async function deploySuspensions(): Promise<Suspensions> {
  const claims = await deployClaims();
  const keys = {
    account: accountKey("network"),
    contract: await contractKey("network"),
    p256: p256Key("network", claims.p256Verifier),
    passkey: passkey("network", claims.webAuthnVerifier),
    pagePasskey: pagePasskey("network", claims.webAuthnOriginVerifier),
  };
  const accounts = ["first", "second", "third"].map((name): Key => accountKey(name)).sort(bySigner) as [Key, Key, Key];
  return {
    ...claims,
    keys,
    anyOfAll: await publish(claims.rulebooks, rulebookFor(Object.values(keys), 1)),
    accounts,
    listed: await publish(claims.rulebooks, rulebookFor(accounts, 2, { suspender: claims.suspender.address })),
  };
}

/** A rulebook of `threshold` of these keys. */
export const rulebookFor = (
  keys: readonly Key[],
  threshold: number,
  changes: Partial<RulebookStruct> = {},
): RulebookStruct =>
  rulebookOf(
    keys.map(({ signer }) => signer),
    threshold,
    changes,
  );

/** A passkey that was made for the page at which it is used (WebAuthnOriginVerifier). */
function pagePasskey(name: string, verifier: string): Key {
  const secret = BigInt(id(`passkey of a page ${name}`)) % ORDER;
  const origin = "https://patient.example";
  const signer = concat([
    verifier,
    publicKeyOf(secret),
    sha256(toUtf8Bytes("patient.example")),
    keccak256(toUtf8Bytes(`","origin":"${origin}","crossOrigin":false`)),
    toBeHex(origin.length, 1),
  ]);
  return { signer, hash: keccak256(signer), sign: (digest) => assertionOf(secret, digest) };
}

/** An attestation with one key's signature alone, as {@link IAttesterSuspensions} takes it. */
export interface Statement {
  observedAt: number;
  validUntil: number;
  evidence: string;
  results: string;
  signatures: string;
}

/** When the attestations of the tests were observed, unless they say otherwise. */
export const OBSERVED_AT = 1_700_000_000;

let statements = 0;

/** What `key` attests of a batch; no two are equal. */
export function statementOf(
  key: Key,
  batch: TestBatch,
  results: readonly GroupResult[] | string,
  changes: { observedAt?: number; ref?: EscrowRef; batchId?: string } = {},
): Statement {
  const statement = {
    batchId: changes.batchId ?? batch.id,
    results: typeof results === "string" ? results : encodeResults(results, shapeOf(batch)),
    observedAt: changes.observedAt ?? OBSERVED_AT,
    validUntil: OBSERVED_AT + 100_000 * DAY,
    evidence: id(`evidence ${++statements}`),
  };
  return { ...statement, signatures: key.sign(attestationDigestOf(statement, changes.ref ?? batch.ref)) };
}

const shapeOf = ({ groups }: TestBatch) => groups.map(({ lineCount }) => ({ lineCount }));

/** Where a line stands: index of its group, and in the group. */
export type Place = readonly [group: number, line: number];

/** Asks anybody to prove that two statements contradict each other. */
export function prove(
  { rulebooks, stranger }: Claims,
  key: Pick<Key, "signer">,
  batch: TestBatch,
  [group, line]: Place,
  first: Statement,
  second: Statement,
): Promise<ContractTransactionResponse> {
  return rulebooks
    .connect(stranger)
    .proveEquivocation(key.signer, batch.terms, batch.words, group, line, first, second);
}

/** Lets `key` say met and not met of a batch of one line, and proves it. */
export async function strike(
  context: Suspensions,
  key: Key,
  rulebook: string,
): Promise<{ batch: TestBatch; sent: ContractTransactionResponse }> {
  const batch = await fundedBatch(context, [[100n]], { rulebook });
  const [first, second] = [statementOf(key, batch, "0x01"), statementOf(key, batch, "0x02")];
  return { batch, sent: await prove(context, key, batch, [0, 0], first, second) };
}

/** A signature in a packed list: of which attester, for which group or line. */
export interface Packed {
  attester: number;
  place?: number;
  key: Key;
}

/** Settles whole groups by packed signatures of these keys. */
export async function settlePacked(
  { escrow }: Claims,
  batch: TestBatch,
  results: GroupResult[],
  signed: readonly Packed[],
): Promise<ContractTransactionResponse> {
  return escrow.settle(batch.terms, batch.words, await packedStatement(batch, results, signed));
}

/** What is attested now of whole groups, by packed signatures of these keys. */
export async function packedStatement(
  batch: TestBatch,
  results: GroupResult[],
  signed: readonly Packed[],
): Promise<Statement> {
  const statement = await unsignedNow(batch, results);
  const digest = attestationDigestOf({ ...statement, batchId: batch.id }, batch.ref);
  const signatures = signed.flatMap(({ attester, place = 0, key }) => {
    const signature = key.sign(digest);
    return [toBeHex(attester, 1), toBeHex(place, 2), toBeHex(dataLength(signature), 2), signature];
  });
  return { ...statement, signatures: concat([toBeHex(signed.length, 1), ...signatures]) };
}

/** Settles whole groups by the list of accounts' signatures. */
export async function settleListed(
  { escrow }: Claims,
  batch: TestBatch,
  results: GroupResult[],
  signed: readonly Key[],
): Promise<ContractTransactionResponse> {
  return escrow.settle(batch.terms, batch.words, await listedStatement(batch, results, signed));
}

/** What is attested now of whole groups, by the list of accounts' signatures. */
export async function listedStatement(
  batch: TestBatch,
  results: GroupResult[],
  signed: readonly Key[],
): Promise<Statement> {
  const statement = await unsignedNow(batch, results);
  const digest = attestationDigestOf({ ...statement, batchId: batch.id }, batch.ref);
  return { ...statement, signatures: concat([...signed].sort(bySigner).map((key) => key.sign(digest))) };
}

async function unsignedNow(batch: TestBatch, results: GroupResult[]): Promise<Statement> {
  const observedAt = await time.latest();
  return {
    observedAt,
    validUntil: observedAt + 90 * DAY,
    evidence: id(`evidence ${++statements}`),
    results: encodeResults(results, shapeOf(batch)),
    signatures: "0x",
  };
}

/** Keys as a rulebook orders them. */
export const bySigner = (a: Key, b: Key): number => (a.signer < b.signer ? -1 : 1);

/** Gives an account code that calls no signature its own, as its owner can (EIP-7702). */
export async function disown(account: string): Promise<void> {
  const wallet = await ethers.deployContract("Erc1271Misbehaving", [0]);
  await setCode(account, concat(["0xef0100", await wallet.getAddress()]));
}
