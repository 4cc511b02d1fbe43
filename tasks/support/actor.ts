import { rm } from "node:fs/promises";

import { concat, Wallet } from "ethers";

import { decodeError, type Action } from "@carepact/sdk";
import { accountSigner, type PatientSigner } from "@carepact/sdk/signers";

import type { Call, Ending } from "./call";
import { isOutcomeUnknown } from "./exitCodes";
import { fileText, readText, type Output } from "./files";
import { usage } from "./input";
import { openSigningKeystore } from "./keystore";
import { openP256Keystore, p256PublicKey } from "./p256Keystore";
import { carryOut, endOf, requireKey, type Outcome } from "./sending";
import { nodeAccount, signingSiteOf, siteOf, type Site, type SigningSite } from "./site";

/** Who acts, where another account sends and pays. */
export interface ActorOptions {
  signer?: string;
  signerKeystore?: string;
}

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

/**
 * @param asked ERC-7913 signers, in lower case, as one of which a P-256 key is to sign. Unless given, it signs as a passkey does.
 * @throws INPUT_INVALID, RUNNER_CANNOT_SIGN
 */
export async function signatorySiteOf(
  call: Call,
  options: ActorOptions,
  asked?: readonly string[],
): Promise<SignatorySite> {
  if (options.signer !== undefined || options.signerKeystore !== undefined) {
    const { keystore, as } = call.common;
    if (keystore !== undefined || as !== undefined)
      throw usage(
        `${keystore === undefined ? "--as" : "--keystore"} and --signer name two keys: leave one out.`,
        "--signer",
      );
    const site = await siteOf(call);
    const key = await namedKey(site, options, { account: "signer", keystore: "signerKeystore" }, asked);
    if (key !== undefined) return { ...site, key };
  }
  const site = await signingSiteOf(call);
  requireKey(site);
  return { ...site, key: await accountSigner(site.signer) };
}

const optionOf = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/**
 * The key that a pair of options names; undefined where neither is given.
 * @param asked See {@link signatorySiteOf}
 * @throws INPUT_INVALID
 */
export async function namedKey<Account extends string, Keystore extends string>(
  site: Site,
  options: { [Name in Account | Keystore]?: string },
  names: { account: Account; keystore: Keystore },
  asked?: readonly string[],
): Promise<PatientSigner | undefined> {
  const [account, keystore] = [options[names.account], options[names.keystore]];
  const [accountOption, keystoreOption] = [optionOf(names.account), optionOf(names.keystore)];
  if (account !== undefined && keystore !== undefined)
    throw usage(`${accountOption} and ${keystoreOption} name two keys: leave one out.`, accountOption);
  if (keystore !== undefined) return keyIn(site, keystore, keystoreOption, asked);
  if (account === undefined) return undefined;
  if (!site.isLocal)
    throw usage(
      `${accountOption}: chain ${site.chainId} is not local, so that its node signs for nobody: give ${keystoreOption}.`,
      accountOption,
    );
  return accountSigner(await nodeAccount(site, account, accountOption));
}

/** The key in a keystore: of an account, or a P-256 key, which is checked by the deployed verifier that is asked for. */
async function keyIn(
  { call, deployment }: Site,
  path: string,
  option: string,
  asked?: readonly string[],
): Promise<PatientSigner> {
  const text = await readText(path, option);
  if (p256PublicKey(text, option) === undefined)
    return accountSigner(new Wallet(await openSigningKeystore(call, path, option)));
  const key = await openP256Keystore(call, path, option, text);
  const isAsked = asked?.includes(concat([deployment.p256Verifier, key.publicKey])) === true;
  // Without an origin, and asked for in no form, it is a key in hardware that the rulebook does not name.
  if (isAsked || (asked !== undefined && !key.hasOrigin)) return key.asP256(deployment.p256Verifier);
  return key.asPasskey(deployment.webAuthnVerifier);
}

/** A document of which only a hash goes on chain. */
export interface Document {
  output: Output;
  value: object;
}

/**
 * Carries an action out as `carryOut` does, and ends as `endOf` does.
 * @param document Written before the action is sent, since nothing could be done with its hash alone; taken away again if the action
 * surely failed
 */
export async function act<Result, Preview>(
  site: ActingSite,
  action: Action<Result, Preview>,
  done: (result: Result) => Ending,
  document?: Document,
): Promise<Ending> {
  if (document === undefined) return endOfActing(site, await carryOut(site, action), done);
  const { output, value } = document;
  let written = false;
  const beforeSending = async (): Promise<void> => {
    await output.write(fileText(value));
    written = true;
  };
  try {
    return endOfActing(site, await carryOut(site, action, { beforeSending }), done);
  } catch (thrown) {
    if (written && !isOutcomeUnknown(decodeError(thrown))) await rm(output.path, { force: true });
    throw thrown;
  }
}

/** As `endOf`. What was only rehearsed is not shown with the actor's signature: whoever had it could send it. */
function endOfActing<Result, Preview>(
  site: ActingSite,
  outcome: Outcome<Result, Preview>,
  done: (result: Result) => Ending,
): Ending {
  const { lines, json, ...rest } = endOf(site, outcome, done);
  if (outcome.sent || site.acts.signer === undefined) return { lines, json, ...rest };
  return { lines, json: { ...json, planned: { ...outcome.planned, data: undefined } }, ...rest };
}
