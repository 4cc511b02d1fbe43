import { expect } from "chai";
import { ZeroAddress } from "ethers";

import type { Failure } from "../../deploy/failure";
import { checkParameters } from "../../deploy/parameters";

import { DAY } from "./support";

const deployer = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const governance = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
const upgrader = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
const pauser = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
const credentialing = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65";
const complete = { governance, upgrader, pauser, credentialing };
const forwarder = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";
/** What is filled in where parameters do not say. */
const unsaid = { delay: 14 * DAY, forwarder: ZeroAddress };

const on = (chainId: number) => (given: unknown) => checkParameters(given, { chainId, deployer });
const local = on(31337);
const mainnet = on(1);

const wrongWith = (check: () => unknown): readonly string[] => {
  try {
    check();
  } catch (thrown) {
    return (thrown as Failure).details.wrong as string[];
  }
  return [];
};

describe("Parameters of a deployment", () => {
  it("are complete on a public chain, and have a delay of 14 days unless they name a longer one", () => {
    expect(mainnet(complete)).to.deep.equal({ ...complete, ...unsaid });
    expect(mainnet({ ...complete, delay: 30 * DAY }).delay).to.equal(30 * DAY);
  });

  it("may leave roles to the deployer on a local chain, and governance to nobody", () => {
    const roles = { upgrader: deployer, pauser: deployer, credentialing: deployer };
    expect(local({ governance })).to.deep.equal({ governance, ...roles, ...unsaid });
    expect(wrongWith(() => local({}))).to.deep.equal(["governance is missing"]);
  });

  it("may have a short delay on a local chain only", () => {
    expect(local({ governance, delay: 1 }).delay).to.equal(1);
    expect(wrongWith(() => mainnet({ ...complete, delay: 14 * DAY - 1 }))).to.deep.equal([
      "delay is 1209599 seconds, a public chain needs at least 14 days (1209600)",
    ]);
  });

  it("name a forwarder, or none", () => {
    expect(mainnet({ ...complete, forwarder }).forwarder).to.equal(forwarder);
    expect(mainnet({ ...complete, forwarder: forwarder.toLowerCase() }).forwarder).to.equal(forwarder);
    expect(local({ governance, forwarder }).forwarder).to.equal(forwarder);
  });

  const refused: [string, Record<string, unknown>, string][] = [
    ["a role that nobody has", { governance, upgrader, pauser }, "credentialing is missing"],
    ["the zero address", { ...complete, upgrader: ZeroAddress }, "upgrader is the zero address"],
    ["a checksum that is wrong", { ...complete, pauser: pauser.replace("F7", "f7") }, "pauser is no address"],
    ["an address that is cut off", { ...complete, pauser: pauser.slice(0, -1) }, "pauser is no address"],
    ["a name instead of an address", { ...complete, governance: "governance.eth" }, "governance is no address"],
    ["the deployer as governance", { ...complete, governance: deployer }, "governance is the deployer"],
    ["the deployer in a role", { ...complete, credentialing: deployer }, "credentialing is the deployer"],
    ["a delay of zero", { ...complete, delay: 0 }, "delay is no whole number"],
    ["half a second", { ...complete, delay: 14 * DAY + 0.5 }, "delay is no whole number"],
    ["milliseconds", { ...complete, delay: 14 * DAY * 1_000 }, "more than a year"],
    ["no forwarder by the zero address", { ...complete, forwarder: ZeroAddress }, "forwarder is the zero address"],
    [
      "a forwarder's wrong checksum",
      { ...complete, forwarder: forwarder.replace("7D", "7d") },
      "forwarder is no address",
    ],
    ["a name that is misspelt", { ...complete, puaser: pauser }, "puaser is no parameter"],
  ];
  for (const [what, given, message] of refused)
    it(`refuse ${what}`, () => {
      const wrong = wrongWith(() => mainnet(given));
      expect(wrong).to.have.lengthOf(1);
      expect(wrong[0]).to.include(message);
    });

  it("name everything that is wrong at once", () => {
    expect(wrongWith(() => mainnet({ governance: deployer, delay: 1 }))).to.have.lengthOf(5);
  });
});
