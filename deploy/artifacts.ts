import { HardhatArtifactResolver } from "@nomicfoundation/hardhat-ignition/helpers";
import type { ArtifactResolver, BuildInfo } from "@nomicfoundation/ignition-core";
import type { HardhatRuntimeEnvironment } from "hardhat/types";

interface WithMetadata {
  metadata: string;
}

/**
 * Artifacts as Ignition wants them. Of a compilation the journal keeps the input, all that explorers need to compile it again; the
 * output is ten times as large, and what is deployed of it stands in the artifacts.
 */
export function artifactsOf(hre: HardhatRuntimeEnvironment): ArtifactResolver {
  const resolver = new HardhatArtifactResolver(hre);
  const kept = new Map<string, BuildInfo | undefined>();
  return {
    loadArtifact: (name) => resolver.loadArtifact(name),
    getBuildInfo: async (name) => {
      if (!kept.has(name)) kept.set(name, await slimBuildInfo(hre, resolver, name));
      return kept.get(name);
    },
  };
}

async function slimBuildInfo(
  hre: HardhatRuntimeEnvironment,
  resolver: ArtifactResolver,
  name: string,
): Promise<BuildInfo | undefined> {
  const full = await resolver.getBuildInfo(name);
  if (full === undefined) return undefined;
  const { sourceName, contractName } = await hre.artifacts.readArtifact(name);
  const contract = full.output.contracts[sourceName]?.[contractName] as unknown as WithMetadata | undefined;
  // Explorers know compilers by version and commit. Hardhat was told the version only, since npm's package names no commit.
  const compiler = contract === undefined ? undefined : compilerIn(contract.metadata);
  const { _format, id, solcVersion, solcLongVersion, input } = full;
  return {
    _format,
    id,
    solcVersion,
    solcLongVersion: compiler ?? solcLongVersion,
    input,
    output: { sources: {}, contracts: {} },
  };
}

const compilerIn = (metadata: string): string =>
  (JSON.parse(metadata) as { compiler: { version: string } }).compiler.version;
