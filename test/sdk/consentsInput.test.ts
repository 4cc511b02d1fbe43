import { expect } from "chai";
import { AbiCoder, ZeroHash, id } from "ethers";
import fc from "fast-check";

import type { Connection, Deployment } from "../../sdk/src/chain";
import { createConsents, NO_INSTRUMENT, NO_MANDATE, signedGrantOf, type Consents } from "../../sdk/src/consents";
import { categoryMask, purposeMask } from "../../sdk/src/codes";
import { isCarepactError } from "../../sdk/src/errors";
import { SEED } from "../support/arbitraries";

import { refused } from "./refused";

const patient = id("patient");
const address = `0x${"11".repeat(20)}`;

/** A node that knows of nothing, and a wallet that signs nothing: whatever comes so far is refused. */
const nothing = AbiCoder.defaultAbiCoder().encode(["uint256[12]"], [Array(12).fill(0)]);
const connection: Connection = {
  runner: {
    provider: {
      getNetwork: () => Promise.resolve({ chainId: 31337n }),
      getBlock: () => Promise.resolve({ timestamp: 1_800_000_000 }),
      getCode: () => Promise.resolve("0x00"),
      call: () => Promise.resolve(nothing),
    },
  } as never,
  deployment: { chainId: 31337, consentRegistry: address, organizationRegistry: address } as Deployment,
};
const consents = createConsents(connection, { signer: { signer: address, sign: () => Promise.resolve("0x") } });

const scope = { purposes: purposeMask("TREAT"), categories: categoryMask(["Observation"]) };
const mandate = {
  ...{ patient, representative: id("signer"), custodian: address, ...scope },
  ...{ notBefore: 0, end: 2_000_000_000, epoch: 1, salt: id("salt") },
};
const grant = {
  ...{ patient, number: 1, grantee: address, ...scope, ceiling: 3, notBefore: 0, expiry: 1_900_000_000 },
  ...{ subGrants: 1, epoch: 1, salt: id("salt"), instrument: NO_INSTRUMENT },
};
const file = signedGrantOf(
  { grant, signer: address, signature: "0x12", mandate: NO_MANDATE, subGrants: [] },
  { chainId: 31337, registry: address },
);

const usual: Record<string, unknown> = {
  patient,
  grantee: address,
  organization: address,
  purposes: ["TREAT"],
  categories: ["Observation"],
  ceiling: "N",
  confidentiality: "N",
  expiry: 1_900_000_000,
  number: 1,
  restrictions: undefined,
  terms: { onlyByGrant: true, permits: [], denials: [], breakGlass: [] },
};

type Method = keyof Consents;
const callOf = (name: Method) => (input: unknown) =>
  (consents as unknown as Record<Method, (input: unknown) => unknown>)[name](input);
/** Only asking whether somebody is represented takes a mandate; a grant of the patient's own takes none. */
const mandated = (name: Method): object =>
  name === "checkRepresentation" ? { mandate: { mandate, signer: address, signature: "0x12" } } : {};
const asking: Method[] = ["grant", "check", "checkBreakGlass", "checkRepresentation", "seal", "anchoring"];
const acting: Method[] = ["revoke", "revokeAll", "revokeOwn", "anchor"];

/** Expects an error that says what is wrong, and not what JavaScript says of it. */
function named(error: unknown): void {
  expect(isCarepactError(error), String(error)).to.equal(true);
  expect(isCarepactError(error, "TRANSACTION_FAILED"), String(error)).to.equal(false);
  JSON.stringify(error);
}

describe("createConsents, given anything at all", () => {
  for (const name of asking)
    it(`${name} refuses it with a CarepactError`, async () => {
      const inputs: Partial<Record<Method, object>> = { grant: usual, seal: file, anchoring: file };
      const input = { ...(inputs[name] ?? { ...usual, grant: file, ...mandated(name) }) };
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...Object.keys(input)), fc.anything(), async (field, value) => {
          try {
            await callOf(name)({ ...input, [field]: value });
          } catch (error) {
            named(error);
            return;
          }
          expect.fail(`${name} took it`);
        }),
        { numRuns: 200, seed: SEED },
      );
    });

  for (const name of acting)
    it(`${name} refuses it with a CarepactError, when it is prepared`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.anything(), async (value) => {
          try {
            await (callOf(name)(value) as { populate(): Promise<unknown> }).populate();
          } catch (error) {
            named(error);
            return;
          }
          expect.fail(`${name} took it`);
        }),
        { numRuns: 200, seed: SEED },
      );
    });

  it("says at once that there is no deployment", () => {
    refused("INPUT_INVALID", () => createConsents({ runner: connection.runner } as never));
  });

  it("takes an id and a word of nothing for an unknown patient", async () => {
    for (const unknown of [patient, ZeroHash])
      try {
        await consents.revokeAll(unknown).populate();
        expect.fail("took it");
      } catch (error) {
        expect(isCarepactError(error, "PATIENT_UNKNOWN"), String(error)).to.equal(true);
      }
  });
});
