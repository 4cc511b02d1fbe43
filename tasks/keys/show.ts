import type { Call, Ending } from "../support/call";
import { listIn, needed } from "../support/input";
import { describeKeystore } from "../support/keystore";
import { warnIfShared } from "../support/password";

export async function run(call: Call, options: { keystores?: string }): Promise<Ending> {
  const keystores = await Promise.all(
    listIn(needed(options, "keystores")).map(async (file) => {
      await warnIfShared(call, file);
      return { file, ...(await describeKeystore(file, "--keystores")) };
    }),
  );
  return {
    lines: keystores.map(({ file, address, publicKey, p256Key }) => {
      if (p256Key !== undefined) return `${file}: P-256 key ${p256Key}`;
      return address === undefined ? `${file}: sealing key ${publicKey}` : `${file}: account ${address}`;
    }),
    json: { keystores },
  };
}
