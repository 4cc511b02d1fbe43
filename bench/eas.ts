import easArtifact from "@ethereum-attestation-service/eas-contracts/artifacts/contracts/EAS.sol/EAS.json";
import registryArtifact from "@ethereum-attestation-service/eas-contracts/artifacts/contracts/SchemaRegistry.sol/SchemaRegistry.json";
import type { EAS, SchemaRegistry } from "@ethereum-attestation-service/eas-contracts";
import { ContractFactory, ZeroAddress, ZeroHash } from "ethers";

import type { Chain } from "./chain";
import type { Gas } from "./compare";
import { fixedBytes } from "./fixed";

const ITEMS = 50;

/** Measures the Ethereum Attestation Service, as its package has it compiled, on the same chain. */
export async function measureEas(chain: Chain): Promise<Gas> {
  const attester = chain.relayer;
  const deploy = async (artifact: { abi: object[]; bytecode: string }, args: string[]): Promise<unknown> =>
    (await new ContractFactory(artifact.abi, artifact.bytecode, attester).deploy(...args)).waitForDeployment();

  const registry = (await deploy(registryArtifact, [])) as SchemaRegistry;
  const eas = (await deploy(easArtifact, [await registry.getAddress()])) as EAS;
  const schema = await registry.register.staticCall("bytes32 results", ZeroAddress, true);
  await chain.gasOf(() => registry.register("bytes32 results", ZeroAddress, true));

  const itemOf = (index: number) => ({
    recipient: chain.payees[index]!,
    expirationTime: 0,
    revocable: true,
    refUID: ZeroHash,
    data: fixedBytes(`attestation ${index}`, 32),
    value: 0,
  });
  const items = Array.from({ length: ITEMS }, (_, index) => itemOf(index));
  const one = await chain.gasOf(() => eas.attest({ schema, data: itemOf(ITEMS) }));
  const many = await chain.gasOf(() => eas.multiAttest([{ schema, data: items }]));
  return { "peer.eas.attest": one, "peer.eas.multiAttest.perItem": Number((many / ITEMS).toFixed(2)) };
}
