import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

import { HardhatArtifactResolver } from "@nomicfoundation/hardhat-ignition/helpers";
import type { ArtifactResolver, BuildInfo } from "@nomicfoundation/ignition-core";
import type { HardhatRuntimeEnvironment } from "hardhat/types";

type Compilation = BuildInfo & { output: { contracts: Record<string, Record<string, { metadata: string }>> } };

/** By path, which names the content: contracts of one compilation share it, and it is large. */
const compilations = new Map<string, Promise<BuildInfo>>();

/**
 * Artifacts as Ignition wants them. Of a compilation the journal keeps the input, all that explorers need to compile it again; the
 * output is ten times as large, and what is deployed of it stands in the artifacts.
 */
export function artifactsOf(hre: HardhatRuntimeEnvironment): ArtifactResolver {
  const resolver = new HardhatArtifactResolver(hre);
  return {
    loadArtifact: (name) => resolver.loadArtifact(name),
    getBuildInfo: async (name) => {
      const path = await compilationOf(hre, name);
      const read = compilations.get(path) ?? readInput(path);
      compilations.set(path, read);
      return read;
    },
  };
}

/** The file in which Hardhat keeps the compilation of a contract. */
async function compilationOf({ artifacts }: HardhatRuntimeEnvironment, name: string): Promise<string> {
  const { sourceName, contractName } = await artifacts.readArtifact(name);
  const artifact = artifacts.formArtifactPathFromFullyQualifiedName(`${sourceName}:${contractName}`);
  const { buildInfo } = JSON.parse(await readFile(artifact.replace(/\.json$/, ".dbg.json"), "utf8")) as {
    buildInfo: string;
  };
  return resolve(artifact, "..", buildInfo);
}

async function readInput(path: string): Promise<BuildInfo> {
  const { _format, id, solcVersion, input, output } = JSON.parse(await readFile(path, "utf8")) as Compilation;
  const [contract] = Object.values(output.contracts).flatMap((contracts) => Object.values(contracts));
  if (contract === undefined) throw new Error(`${path} compiled nothing.`);
  // Explorers know compilers by version and commit. Hardhat was told the version only, since npm's package names no commit.
  const { compiler } = JSON.parse(contract.metadata) as { compiler: { version: string } };
  const solcLongVersion = compiler.version;
  return { _format, id, solcVersion, solcLongVersion, input, output: { sources: {}, contracts: {} } };
}
