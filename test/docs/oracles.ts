import { concat, hexlify, id } from "ethers";
import type { JsonRpcSigner } from "ethers";

import { run, type Deployment } from "@carepact/sdk";
import { readPharmacyClaim, type AdjudicatedClaim } from "@carepact/sdk/claims";
import { generateSealingKeys, type SealingKeyPair } from "@carepact/sdk/encryption";
import { createPools } from "@carepact/sdk/pools";
import { digestOf, type P256Key, type PatientSigner } from "@carepact/sdk/signers";

import { ORDER, publicKeyOf, signP256 } from "../support/keys";
import { originPasskey } from "../unit/WebAuthnOriginVerifier/assertions";

import type { Story } from "./story";
import { DAY, enrol, mint, NPI, type World } from "./world";

/** What the page on oracles takes as given. */
export interface OraclesGiven {
  payer: JsonRpcSigner;
  pharmacy: JsonRpcSigner;
  network: JsonRpcSigner;
  thirdNetwork: string;
  hsm: Omit<P256Key, "verifier">;
  phone: PatientSigner;
  sealingKeys: SealingKeyPair;
  deployment: Deployment;
  token: string;
  claim: AdjudicatedClaim;
  eventBy: number;
  evidence: string;
  secret: string;
}

/** A key in a security module, which signs digests as they are. */
function securityModule(): OraclesGiven["hsm"] {
  const key = BigInt(id("a network's security module")) % ORDER;
  return { publicKey: publicKeyOf(key), sign: (digest) => Promise.resolve(concat(signP256(key, hexlify(digest)))) };
}

/** A fill above 1,000.00, made up but for the form. */
const dearFill = (payee: string): AdjudicatedClaim =>
  readPharmacyClaim(
    {
      kind: "pharmacy",
      claimId: "A-100001",
      currency: "USD",
      transactionResponseStatus: "P",
      pharmacyNpi: NPI.pharmacy,
      prescriptionReferenceNumber: "100001",
      fillNumber: 0,
      dateOfService: "2030-01-15",
      productServiceId: "00000000000",
      quantityDispensed: "30",
      daysSupply: 30,
      ingredientCostPaid: "1250.00",
      patientPayAmount: "0.00",
      totalAmountPaid: "1250.00",
    },
    { payee },
  );

/** The page on oracles: what its code takes as given. */
export async function oraclesStory(world: World): Promise<Story> {
  const { payer, deployment, token, pharmacy, attesters } = world;
  await enrol(world, payer.address, "payer", await generateSealingKeys());
  await enrol(world, pharmacy.signer.address, "pharmacy", pharmacy.keys, NPI.pharmacy);
  await mint(world, payer.address, 2_500_000_000n);
  await run(createPools({ runner: payer, deployment }).depositWithPermit({ token, amount: 2_500_000_000n }));

  const passkey = originPasskey("patient", deployment.webAuthnOriginVerifier);
  const [network, thirdNetwork] = attesters as [JsonRpcSigner, JsonRpcSigner];
  const given: OraclesGiven = {
    payer,
    pharmacy: pharmacy.signer,
    network,
    thirdNetwork: thirdNetwork.address,
    hsm: securityModule(),
    phone: { signer: passkey.signer, sign: (message) => Promise.resolve(passkey.sign(digestOf(message))) },
    sealingKeys: pharmacy.keys,
    deployment,
    token,
    claim: dearFill(pharmacy.signer.address),
    eventBy: Math.floor(Date.now() / 1_000) + 14 * DAY,
    evidence: id("what the networks saw, salted"),
    secret: id("a secret from a key store"),
  };
  return { page: "docs/oracles.md", given };
}
