import { CarepactError, type Deployment } from "@carepact/sdk";
import { openMandateFile, parseMandateFile, type MandateFile, type SignedMandate } from "@carepact/sdk/consents";

import { parseJson, readText } from "./files";

/** The mandate in a text. @throws INPUT_INVALID, and what the SDK throws for documents */
export function mandateOf(text: string, option: string): ReturnType<typeof openMandateFile> {
  // Says which option it is that is no JSON.
  parseJson(text, option);
  return openMandateFile(parseMandateFile(text));
}

/** The mandate in a file, for this deployment. @throws INPUT_INVALID, GRANT_WRONG_REGISTRY, and what the SDK throws for documents */
export async function mandateIn(path: string, option: string, deployment: Deployment): Promise<SignedMandate> {
  const { chainId, registry, ...signed } = mandateOf(await readText(path, option), option);
  requireDeployment({ chainId, registry }, deployment);
  return signed;
}

/** @throws GRANT_WRONG_REGISTRY */
export function requireDeployment(
  { chainId, registry }: Pick<MandateFile, "chainId" | "registry">,
  deployment: Deployment,
): void {
  if (chainId === deployment.chainId && registry.toLowerCase() === deployment.consentRegistry.toLowerCase()) return;
  throw new CarepactError("GRANT_WRONG_REGISTRY", "The mandate was signed for another chain or consent registry.", {
    chainId,
    registry,
  });
}
