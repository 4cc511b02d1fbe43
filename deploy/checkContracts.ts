import { Contract, type Provider } from "ethers";

import type { Deployment } from "@carepact/sdk";

import type { Parameters } from "./parameters";
import {
  type Artifacts,
  LOCKED,
  type Part,
  addressAt,
  implementationOf,
  initializedOf,
  partsOf,
  plain,
  proxies,
  proxyNames,
} from "./system";

/** Something that was looked at. @property wrong What is not as it should be; empty: all is well. */
export interface Finding {
  what: string;
  wrong: string[];
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/**
 * Whether `code` is what the artifact's compiles to. UUPS keeps the contract's own address in its code, and the escrow and its
 * extension those of their parts, where the artifact has zeros.
 */
function isCode(code: string, addresses: readonly string[], deployedBytecode: string): boolean {
  const words = addresses.map((address) => address.slice(2).toLowerCase().padStart(64, "0"));
  return words.reduce((text, word) => text.replaceAll(word, "0".repeat(64)), code) === deployedBytecode;
}

/** Code, implementations and links: that every address holds what it should, and knows the others. */
export async function checkContracts(
  provider: Provider,
  deployment: Deployment,
  artifacts: Artifacts,
  parameters: Parameters,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const codeAt = async (address: string, name: string, parts: readonly Part[] = []): Promise<string[]> => {
    const code = await provider.getCode(address);
    if (code === "0x") return [`there is no contract at ${address}`];
    const { deployedBytecode } = await artifacts.readArtifact(name);
    const kept = [address, ...parts.map((part) => part.address)];
    return isCode(code, kept, deployedBytecode) ? [] : [`the code at ${address} is not ${name} as compiled here`];
  };

  for (const [name, field] of Object.entries(plain))
    findings.push({ what: `${name}: code`, wrong: await codeAt(deployment[field], name) });
  for (const name of proxyNames) {
    const proxy = deployment[proxies[name]];
    const wrong = await codeAt(proxy, "ERC1967Proxy");
    findings.push({ what: `${name}: proxy`, wrong });
    if (wrong.length > 0) continue;
    const implementation = await implementationOf(provider, proxy);
    // Where code is not what is compiled here, nothing may answer for the parts.
    const parts = await partsOf(provider, name, implementation).catch(() => undefined);
    findings.push({
      what: `${name}: implementation`,
      wrong:
        parts === undefined
          ? [`the code at ${implementation}, or at its extension, is not as compiled here: it does not name its parts`]
          : await codeAt(implementation, name, parts),
    });
    for (const part of parts ?? [])
      findings.push({ what: `${name}: ${part.name}`, wrong: await codeAt(part.address, part.name, parts) });
    const [initialized, locked] = [await initializedOf(provider, proxy), await initializedOf(provider, implementation)];
    findings.push({
      what: `${name}: initialized, and its implementation locked`,
      wrong: [
        ...(initialized === 0n ? ["the proxy is not initialized: anybody could do it"] : []),
        ...(initialized === LOCKED ? ["the proxy was locked before it was initialized"] : []),
        ...(locked === LOCKED ? [] : ["the implementation can be initialized by anybody"]),
      ],
    });
  }
  // Links are read from contracts: where there are none, that has been said.
  if (findings.every(({ wrong }) => wrong.length === 0))
    findings.push(await checkLinks(provider, deployment, parameters));
  return findings;
}

async function checkLinks(provider: Provider, deployment: Deployment, { forwarder }: Parameters): Promise<Finding> {
  const { accessManager, organizationRegistry, rulebooks, mandates, claimEscrow } = deployment;
  const { consentRegistry, patientRecovery, accessLog } = deployment;
  const authorityOf = async (address: string): Promise<string> =>
    (await new Contract(address, ["function authority() view returns (address)"], provider).getFunction(
      "authority",
    )()) as string;
  const read = (contract: string, namespace: string, slot = 0): Promise<string> =>
    addressAt(provider, contract, `carepact.storage.${namespace}`, slot);
  const links: [string, Promise<string>, string][] = [
    ...proxyNames.map(
      (name) =>
        [`${name}'s access manager`, authorityOf(deployment[proxies[name]]), accessManager] satisfies [
          string,
          Promise<string>,
          string,
        ],
    ),
    ["OrganizationRegistry tells standings to", read(organizationRegistry, "OrganizationRegistry"), claimEscrow],
    ["Rulebooks tells rulebooks to", read(rulebooks, "Rulebooks"), claimEscrow],
    ["Mandates asks registry", read(mandates, "Mandates"), organizationRegistry],
    ["Mandates funds in escrow", read(mandates, "Mandates", 1), claimEscrow],
    ["ClaimEscrow lets fund under mandates", read(claimEscrow, "ClaimBatches"), mandates],
    ["ClaimEscrow is told rulebooks by", read(claimEscrow, "RulebookClocks"), rulebooks],
    ["ClaimEscrow is told standings by", read(claimEscrow, "Standings"), organizationRegistry],
    ["ClaimEscrow takes workflows' reports from", read(claimEscrow, "WorkflowReports"), forwarder],
    ["ConsentRegistry asks registry", read(consentRegistry, "ConsentRegistry"), organizationRegistry],
    ["ConsentRegistry lets recover", read(consentRegistry, "PatientRegistry"), patientRecovery],
    ["PatientRecovery recovers in", read(patientRecovery, "PatientRecovery"), consentRegistry],
    ["AccessLog asks registry", read(accessLog, "AccessLog"), organizationRegistry],
  ];
  const wrong: string[] = [];
  for (const [what, reading, expected] of links) {
    const found = await reading;
    if (!same(found, expected)) wrong.push(`${what} ${found}, not ${expected}`);
  }
  return { what: "Links between contracts", wrong };
}
