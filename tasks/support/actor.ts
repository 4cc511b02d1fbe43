import { Wallet } from "ethers";

import type { Action } from "@carepact/sdk";
import { accountSigner, type PatientSigner } from "@carepact/sdk/signers";

import type { Call, Ending } from "./call";
import { usage } from "./input";
import { openSigningKeystore } from "./keystore";
import { carryOut, endOf, requireKey, type Outcome, type Told } from "./sending";
import { nodeAccount, signingSiteOf, siteOf, type Site, type SigningSite } from "./site";

/** Who acts, where another account sends and pays. */
export interface ActorOptions {
  signer?: string;
  signerKeystore?: string;
}

/** Options of commands in which somebody acts who needs no ether. */
export const actorOptions = {
  signer: "On a local chain: number or address of the node's account that acts, where another one sends",
  signerKeystore: "Encrypted JSON keystore of the key that acts, where another account sends and pays",
};

/** Options of commands that only sign. */
export const signatoryOptions = {
  signer: "On a local chain: number or address of the node's account that signs, in place of --as",
  signerKeystore: "Encrypted JSON keystore of the key that signs, in place of --keystore",
};

/** A site whose account sends, with the key that acts where it is another one. */
export interface ActingSite extends SigningSite {
  acts: { signer?: PatientSigner };
}

/** A site with a key that signs messages; nothing is sent. */
export interface SignatorySite extends Site {
  key: PatientSigner;
}

/** @throws INPUT_INVALID */
export async function actingSiteOf(call: Call, options: ActorOptions): Promise<ActingSite> {
  const site = await signingSiteOf(call);
  const signer = await namedKey(site, options, { account: "signer", keystore: "signerKeystore" });
  return { ...site, acts: signer === undefined ? {} : { signer } };
}

/** @throws INPUT_INVALID, RUNNER_CANNOT_SIGN */
export async function signatorySiteOf(call: Call, options: ActorOptions): Promise<SignatorySite> {
  if (options.signer !== undefined || options.signerKeystore !== undefined) {
    const site = await siteOf(call);
    const key = await namedKey(site, options, { account: "signer", keystore: "signerKeystore" });
    if (key !== undefined) return { ...site, key };
  }
  const site = await signingSiteOf(call);
  requireKey(site);
  return { ...site, key: await accountSigner(site.signer) };
}

const optionOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** The key that a pair of options names; undefined where neither is given. @throws INPUT_INVALID */
export async function namedKey<Account extends string, Keystore extends string>(
  site: Site,
  options: { [Name in Account | Keystore]?: string },
  names: { account: Account; keystore: Keystore },
): Promise<PatientSigner | undefined> {
  const { call } = site;
  const [account, keystore] = [options[names.account], options[names.keystore]];
  const [accountOption, keystoreOption] = [optionOf(names.account), optionOf(names.keystore)];
  if (account !== undefined && keystore !== undefined)
    throw usage(`${accountOption} and ${keystoreOption} name two keys: leave one out.`, accountOption);
  if (keystore !== undefined)
    return accountSigner(new Wallet(await openSigningKeystore(call, keystore, keystoreOption)));
  if (account === undefined) return undefined;
  if (!site.isLocal)
    throw usage(
      `${accountOption}: chain ${site.chainId} is not local, so that its node signs for nobody: give ${keystoreOption}.`,
      accountOption,
    );
  return accountSigner(await nodeAccount(site, account, accountOption));
}

/** Carries an action out as `carryOut` does, and ends as `endOf` does. */
export async function act<Result, Preview>(
  site: ActingSite,
  action: Action<Result, Preview>,
  done: (result: Result) => Ending,
  told?: Told,
): Promise<Ending> {
  return endOfActing(site, await carryOut(site, action, told), done);
}

/** As `endOf`. What was only rehearsed is not shown with the actor's signature: whoever had it could send it. */
export function endOfActing<Result, Preview>(
  site: ActingSite,
  outcome: Outcome<Result, Preview>,
  done: (result: Result) => Ending,
): Ending {
  const { lines, json, ...rest } = endOf(site, outcome, done);
  if (outcome.sent || site.acts.signer === undefined) return { lines, json, ...rest };
  return { lines, json: { ...json, planned: { ...outcome.planned, data: undefined } }, ...rest };
}
