import { signatorySiteOf, type ActorOptions } from "../support/actor";
import type { Call, Ending } from "../support/call";

export async function run(call: Call, options: ActorOptions): Promise<Ending> {
  const { key } = await signatorySiteOf(call, options);
  return { lines: [key.signer], json: { signer: key.signer } };
}
