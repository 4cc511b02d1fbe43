import type { Call, Ending } from "../support/call";
import { outputTo, PRIVATE, requireApart } from "../support/files";
import { usage } from "../support/input";
import { newSealingKeystore, newSigningKeystore } from "../support/keystore";
import { passwordFor } from "../support/password";
import { list } from "../support/show";

export async function run(call: Call, options: { signing?: string; sealing?: string }): Promise<Ending> {
  const { signing, sealing } = options;
  if (signing === undefined && sealing === undefined) throw usage("Give --signing, --sealing, or both.", "--signing");
  if (signing !== undefined && sealing !== undefined)
    await requireApart({ path: signing, option: "--signing" }, { path: sealing, option: "--sealing" });
  // Nothing forces a keystore to be written over: the key in it would be lost.
  const outputs = {
    signing: signing === undefined ? undefined : await outputTo(signing, "--signing", { mode: PRIVATE }),
    sealing: sealing === undefined ? undefined : await outputTo(sealing, "--sealing", { mode: PRIVATE }),
  };
  const password = await passwordFor(call, "the new keystores", true);
  call.tell("Encrypting ...");
  const account = outputs.signing && (await newSigningKeystore(password));
  const seals = outputs.sealing && (await newSealingKeystore(password));
  if (account) await outputs.signing?.write(account.text);
  if (seals) await outputs.sealing?.write(seals.text);
  return {
    lines: [
      ...list({ account: account?.address, "hpke key": seals?.publicKey }),
      "Keep the keystores, copies of them elsewhere, and the password: without any of them the keys are lost.",
    ],
    json: {
      ...(account && { account: account.address, signing }),
      ...(seals && { hpkeKey: seals.publicKey, sealing }),
    },
  };
}
