import { expect } from "chai";
import { concat, dataSlice, hexlify, id, keccak256, sha256, toUtf8Bytes } from "ethers";
import { ethers } from "hardhat";

import {
  createPasskey,
  digestOf,
  passkeySigner,
  type Passkey,
  type PasskeyOptions,
  type TypedMessage,
} from "@carepact/sdk/signers";

import { authenticator, type Misbehaviour } from "../support/authenticator";

import { refused, refusedAsync } from "./refused";

const ORIGIN = "https://patient.example";
const MAGIC = "0x024ad318";

const message: TypedMessage = {
  domain: { name: "Carepact ClaimEscrow", version: "1", chainId: 31337, verifyingContract: `0x${"11".repeat(20)}` },
  types: { Attestation: [{ name: "batchId", type: "bytes32" }] },
  message: { batchId: id("batch") },
};

describe("Passkeys that are bound to a page", () => {
  let verifier: string;
  before(async () => {
    verifier = await (await ethers.deployContract("WebAuthnOriginVerifier")).getAddress();
  });

  const answerOf = async (signer: string, signature: string): Promise<string> => {
    const contract = await ethers.getContractAt("IERC7913SignatureVerifier", dataSlice(signer, 0, 20));
    return contract.verify(dataSlice(signer, 20), digestOf(message), signature);
  };
  const options: PasskeyOptions = { application: "Pick-ups", user: "Pick-up", origin: ORIGIN };
  const made = async (): Promise<{ device: ReturnType<typeof authenticator>; passkey: Passkey }> => {
    const device = authenticator();
    return { device, passkey: await createPasskey({ ...options, credentials: device }) };
  };

  it("sign as the deployed verifier wants it, under a key that names page and relying party", async () => {
    const { device, passkey } = await made();
    const signer = passkeySigner(passkey, { verifier, origin: ORIGIN, credentials: device });

    expect(signer.signer).to.equal(
      concat([
        verifier,
        passkey.publicKey,
        sha256(toUtf8Bytes("patient.example")),
        keccak256(toUtf8Bytes('","origin":"https://patient.example","crossOrigin":false')),
        hexlify(Uint8Array.of(ORIGIN.length)),
      ]),
    );
    expect(await answerOf(signer.signer, await signer.sign(message))).to.equal(MAGIC);
  });

  it("belong to a domain above the page's, where the passkey does", async () => {
    const { device, passkey } = await made();
    const origin = "https://pickup.patient.example:8443";
    const own = { ...passkey, rpId: "patient.example" };
    const signer = passkeySigner(own, { verifier, origin, credentials: device });
    device.misbehave({ origin });

    expect(await answerOf(signer.signer, await signer.sign(message))).to.equal(MAGIC);
    expect(signer.signer).not.to.equal(passkeySigner(passkey, { verifier, origin }).signer);
  });

  it("sign where the browser adds to client data behind what is read", async () => {
    const { device, passkey } = await made();
    const signer = passkeySigner(passkey, { verifier, origin: ORIGIN, credentials: device });
    device.misbehave({ clientData: (json) => json.replace(/}$/, ',"other_keys_can_be_added_here":"do not compare"}') });

    expect(await answerOf(signer.signer, await signer.sign(message))).to.equal(MAGIC);
  });

  const misuses: Record<string, Misbehaviour> = {
    "another origin": { origin: "https://patient.example.evil" },
    "another port": { origin: "https://patient.example:444" },
    "another page's frame": { crossOrigin: true },
    "another relying party": { rpId: "evil.example" },
    "another challenge": { challenge: new Uint8Array(32) },
    "another type": { type: "webauthn.create" },
    "no user verification": { flags: 0b001 },
    "client data in another order": {
      clientData: (json) => {
        const { type, ...rest } = JSON.parse(json) as { type: string };
        return JSON.stringify({ ...rest, type });
      },
    },
    "client data without crossOrigin": { clientData: (json) => json.replace(',"crossOrigin":false', "") },
  };
  for (const [what, how] of Object.entries(misuses))
    it(`give out no signature with ${what}`, async () => {
      const { device, passkey } = await made();
      const signer = passkeySigner(passkey, { verifier, origin: ORIGIN, credentials: device });
      device.misbehave(how);

      await refusedAsync("SIGNATURE_INVALID", signer.sign(message));
    });

  it("are not made by a browser whose signatures would not be read, or for another page than the one that is open", async () => {
    for (const how of [
      { clientData: (json: string) => json.replace(',"crossOrigin":false', "") },
      { origin: "https://other.example" },
      { response: { clientDataJSON: undefined } },
    ]) {
      const device = authenticator();
      device.misbehave(how);
      await refusedAsync("PASSKEY_UNAVAILABLE", createPasskey({ ...options, credentials: device }));
    }
  });

  for (const origin of ["patient.example", "https://patient.example/", "", `https://${"a".repeat(250)}.example`, 5])
    it(`are bound to no page at ${JSON.stringify(origin).slice(0, 40)}`, async () => {
      const { device, passkey } = await made();
      const credentials = device;
      refused("INPUT_INVALID", () => passkeySigner(passkey, { verifier, origin: origin as string, credentials }));
    });
});
