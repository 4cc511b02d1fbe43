import { expect } from "chai";
import fc from "fast-check";
import { AbiCoder, ErrorFragment, Interface, type ParamType } from "ethers";

import { decodeError } from "@carepact/sdk";

import { contractErrors } from "../../sdk/src/errors/contractErrors";
import {
  AccessLog__factory,
  AccessManager__factory,
  AttesterConditions__factory,
  ClaimEscrowExtension__factory,
  ClaimEscrow__factory,
  ConsentRegistry__factory,
  ERC1967Proxy__factory,
  ERC20Permit__factory,
  Mandates__factory,
  OrganizationRegistry__factory,
  PatientRecovery__factory,
  Rulebooks__factory,
} from "../../typechain-types";

/** What a call of the SDK runs into: the contracts, their proxies, and tokens. */
const deployed = {
  // At one address: its fallback hands on to the extension, and conditions are checked on its behalf.
  ClaimEscrow: [...ClaimEscrow__factory.abi, ...ClaimEscrowExtension__factory.abi, ...AttesterConditions__factory.abi],
  Rulebooks: Rulebooks__factory.abi,
  Mandates: Mandates__factory.abi,
  OrganizationRegistry: OrganizationRegistry__factory.abi,
  ConsentRegistry: ConsentRegistry__factory.abi,
  PatientRecovery: PatientRecovery__factory.abi,
  AccessLog: AccessLog__factory.abi,
  AccessManager: AccessManager__factory.abi,
  "ERC-20 token": ERC20Permit__factory.abi,
  ERC1967Proxy: ERC1967Proxy__factory.abi,
};

const PROXY = "ERC1967Proxy";

const errorsOf = (abi: readonly object[]): ErrorFragment[] =>
  new Interface(abi as never).fragments.filter((fragment): fragment is ErrorFragment => fragment.type === "error");

/** As the table of the SDK writes it. */
const signatureOf = ({ name, inputs }: ErrorFragment): string =>
  `${name}(${inputs.map((input) => `${input.type} ${input.name}`).join(", ")})`;

/** By contract, as the table has them: an error that several declare, or a proxy in front of any, is nobody's own. */
function declaredErrors(): Record<string, string[]> {
  const declared: Record<string, Set<string>> = {};
  const owners = new Map<string, string[]>();
  for (const [contract, abi] of Object.entries(deployed))
    for (const signature of new Set(errorsOf(abi).map(signatureOf)))
      owners.set(signature, [...(owners.get(signature) ?? []), contract]);
  for (const [signature, contracts] of owners) {
    const [owner] = contracts;
    const key = contracts.length > 1 || owner === PROXY ? "" : owner!;
    (declared[key] ??= new Set()).add(signature);
  }
  return Object.fromEntries(Object.entries(declared).map(([key, signatures]) => [key, [...signatures].sort()]));
}

const known = Object.entries(contractErrors).flatMap(([contract, errors]) =>
  Object.entries(errors).map(([signature, advice]) => ({
    contract: contract || undefined,
    fragment: ErrorFragment.from(`error ${signature}`),
    advice,
  })),
);

const hex = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString("hex")}`;
const bytesOf = (minLength: number, maxLength = minLength): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength, maxLength }).map(hex);

/** Any value of a Solidity type, as ethers gives it back. */
function valueOf({ type }: ParamType): fc.Arbitrary<unknown> {
  const [, bits] = /^uint(\d+)$/.exec(type) ?? [];
  if (bits !== undefined) return fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n });
  const [, size] = /^bytes(\d+)$/.exec(type) ?? [];
  if (size !== undefined) return bytesOf(Number(size));
  if (type === "bytes") return bytesOf(0, 200);
  if (type === "string") return fc.string({ unit: "grapheme", maxLength: 200 });
  if (type === "address")
    return bytesOf(20).map(
      (address) =>
        AbiCoder.defaultAbiCoder().decode(["address"], `0x${"00".repeat(12)}${address.slice(2)}`)[0] as string,
    );
  return expect.fail(`no value for ${type}`);
}

const anyError = fc
  .constantFrom(...known)
  .chain((error) => fc.tuple(fc.constant(error), fc.tuple(...error.fragment.inputs.map(valueOf))));

describe("SDK: errors of the contracts", () => {
  it("are those that the contracts declare, no more and no less", () => {
    const written = Object.entries(contractErrors).map(([contract, errors]) => [contract, Object.keys(errors).sort()]);
    expect(Object.fromEntries(written)).to.deep.equal(declaredErrors());
  });

  it("have one argument name for each, since arguments are read by name", () => {
    for (const { fragment } of known) {
      const names = fragment.inputs.map(({ name }) => name);
      expect(new Set(names).size, fragment.name).to.equal(names.length);
      expect(names, fragment.name).not.to.include("");
    }
  });

  it("go by one name each, and by one selector", () => {
    for (const key of ["name", "selector"] as const)
      expect(new Set(known.map(({ fragment }) => fragment[key])).size).to.equal(known.length);
  });

  it("each have a sentence for the user", () => {
    for (const { fragment, advice } of known) {
      expect(advice, fragment.name).to.match(/^[A-Z].{10,120}\.$/);
      expect(decodeError({ data: dataOf(fragment, fragment.inputs.map(someValueOf)) }).message).to.contain(advice);
    }
  });

  it("come back from their data with name, contract and arguments, whatever these are", () => {
    fc.assert(
      fc.property(anyError, ([{ contract, fragment }, values]) => {
        const error = decodeError({ code: 3, message: "execution reverted", data: dataOf(fragment, values) });
        expect([error.code, error.name, error.contract]).to.deep.equal(["CONTRACT_REVERTED", fragment.name, contract]);
        expect(error.args).to.deep.equal(Object.fromEntries(fragment.inputs.map(({ name }, i) => [name, values[i]])));
        expect(JSON.stringify(error)).to.be.a("string");
      }),
      { numRuns: 1_000 },
    );
  });

  it("are not seen in data that is cut short", () => {
    fc.assert(
      fc.property(anyError, fc.nat(), ([{ fragment }, values], cut) => {
        const data = dataOf(fragment, values);
        if (fragment.inputs.length === 0) return;
        const end = 10 + 2 * (cut % (fragment.inputs.length * 32));
        expect(decodeError({ data: data.slice(0, end) }).name).to.equal("Unknown");
      }),
    );
  });
});

const dataOf = (fragment: ErrorFragment, values: readonly unknown[]): string =>
  fragment.selector + AbiCoder.defaultAbiCoder().encode(fragment.inputs, values).slice(2);

const someValueOf = (type: ParamType): unknown => fc.sample(valueOf(type), { numRuns: 1, seed: 1 })[0];
