import { TASK_COMPILE } from "hardhat/builtin-tasks/task-names";
import { task } from "hardhat/config";

// EIP-170 and EIP-3860.
const MAX_CODE_BYTES = 24_576;
const MAX_INITCODE_BYTES = 49_152;

const bytesIn = (hex: string): number => (hex.length - 2) / 2;

task(
  "size",
  "Prints the size of every deployable contract and fails above the limit of the chain",
  async (_args, hre) => {
    await hre.run(TASK_COMPILE, { quiet: true });
    const names = await hre.artifacts.getAllFullyQualifiedNames();
    let tooLarge = false;
    for (const name of names.filter((name) => name.startsWith("contracts/") && !name.startsWith("contracts/mocks/"))) {
      const artifact = await hre.artifacts.readArtifact(name);
      // Interfaces have no code, internal libraries no functions of their own: neither is deployed.
      const code = bytesIn(artifact.deployedBytecode);
      const deployable = code > 0 && (artifact.abi as { type: string }[]).some(({ type }) => type === "function");
      if (!deployable) continue;
      const fits = code <= MAX_CODE_BYTES && bytesIn(artifact.bytecode) <= MAX_INITCODE_BYTES;
      tooLarge ||= !fits;
      console.log(
        `${fits ? "  " : "! "}${code.toString().padStart(6)} of ${MAX_CODE_BYTES} bytes  ${artifact.contractName}`,
      );
    }
    if (tooLarge) process.exitCode = 1;
  },
);
