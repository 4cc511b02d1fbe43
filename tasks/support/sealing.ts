import type { Call } from "./call";
import { usage } from "./input";
import { openSealingKeystore } from "./keystore";
import { keepSecret } from "./secrets";

const KEY = "CAREPACT_SEALING_KEY";
const KEYSTORE = "CAREPACT_SEALING_KEYSTORE";

/** The private key that opens sealed parts (X25519); undefined when none is named. @throws INPUT_INVALID */
export async function sealingKeyOf(call: Call, keystore: string | undefined): Promise<string | undefined> {
  const [key, file] = [process.env[KEY] || undefined, process.env[KEYSTORE] || undefined];
  if (keystore !== undefined) return openSealingKeystore(call, keystore, "--sealing-keystore");
  if (key !== undefined && file !== undefined) throw usage(`${KEY} and ${KEYSTORE} name two keys: unset one.`, KEY);
  if (file !== undefined) return openSealingKeystore(call, file, KEYSTORE);
  if (key === undefined) return undefined;
  const trimmed = key.trim().replace(/^(?!0x)/, "0x");
  keepSecret(trimmed);
  return trimmed;
}

/** The same where nothing can be done without. */
export async function neededSealingKey(call: Call, keystore: string | undefined): Promise<string> {
  const key = await sealingKeyOf(call, keystore);
  if (key === undefined)
    throw usage(
      `A sealing key is needed: give --sealing-keystore, or set ${KEYSTORE} or ${KEY}.`,
      "--sealing-keystore",
    );
  return key;
}
