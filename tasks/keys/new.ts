import type { Call, Ending } from "../support/call";
import { outputTo, PRIVATE, requireApart, type Output } from "../support/files";
import { usage } from "../support/input";
import { newSealingKeystore, newSigningKeystore } from "../support/keystore";
import { newP256Keystore, originIn } from "../support/p256Keystore";
import { passwordFor } from "../support/password";
import { list } from "../support/show";

interface Options {
  signing?: string;
  p256?: string;
  origin?: string;
  sealing?: string;
}

const kinds = ["signing", "p256", "sealing"] as const;

export async function run(call: Call, options: Options): Promise<Ending> {
  if (options.origin !== undefined && options.p256 === undefined)
    throw usage("--origin goes with --p256: other keys have none.", "--origin");
  const origin = options.origin === undefined ? undefined : originIn(options.origin, "--origin");
  const outputs = await outputsIn(options);
  const password = await passwordFor(call, "the new keystores", true);
  call.tell("Encrypting ...");
  const account = outputs.signing && (await newSigningKeystore(password));
  const p256 = outputs.p256 && (await newP256Keystore(password, origin));
  const seals = outputs.sealing && (await newSealingKeystore(password));
  if (account) await outputs.signing?.write(account.text);
  if (p256) await outputs.p256?.write(p256.text);
  if (seals) await outputs.sealing?.write(seals.text);
  return {
    lines: [
      ...list({ account: account?.address, "p256 key": p256?.publicKey, "hpke key": seals?.publicKey }),
      "Keep the keystores, copies of them elsewhere, and the password: without any of them the keys are lost.",
    ],
    json: {
      ...(account && { account: account.address, signing: options.signing }),
      ...(p256 && { p256Key: p256.publicKey, p256: options.p256 }),
      ...(seals && { hpkeKey: seals.publicKey, sealing: options.sealing }),
    },
  };
}

/** Nothing forces a keystore to be written over: the key in it would be lost. */
async function outputsIn(options: Options): Promise<{ [Kind in (typeof kinds)[number]]?: Output }> {
  const given = kinds.flatMap((kind) => {
    const path = options[kind];
    return path === undefined ? [] : [{ kind, path, option: `--${kind}` }];
  });
  if (given.length === 0) throw usage("Give --signing, --p256, --sealing, or several of them.", "--signing");
  for (const [i, second] of given.entries()) for (const first of given.slice(0, i)) await requireApart(first, second);
  const outputs: { [Kind in (typeof kinds)[number]]?: Output } = {};
  for (const { kind, path, option } of given) outputs[kind] = await outputTo(path, option, { mode: PRIVATE });
  return outputs;
}
