import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { id } from "ethers";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import {
  createGateway,
  openHistory,
  parseHistory,
  proveEntry,
  receiptMessage,
  verifyEntry,
  verifyReceipt,
  type AccessProof,
  type AccessReceipt,
  type Gateway,
  type ReceiptExpectations,
} from "@carepact/sdk/access";
import { contractSigner } from "@carepact/sdk/signers";

import { DAY } from "../support/system";

import { rewrite } from "./accessStores";
import { attemptOf, audited, deployAccessWorld, gatewayOver, historyOf, logged, worldOf } from "./accessWorld";
import type { AccessWorld } from "./accessWorld";
import { refusal } from "./support";

const expectedOf = (world: AccessWorld, changes: Partial<ReceiptExpectations> = {}): ReceiptExpectations => ({
  patient: world.patient,
  who: world.clinic.address,
  resourceTypes: ["Observation"],
  ...changes,
});

/** A gateway whose account is a wallet contract of the gateway's signer. */
async function walletGateway(world: AccessWorld): Promise<{ gateway: Gateway; anchor: () => Promise<unknown> }> {
  const wallet = await ethers.deployContract("Erc1271Wallet", [world.gatewaySigner.address]);
  const account = await wallet.getAddress();
  await run(world.office.register(account, { name: "gateway", kinds: ["gateway"], hpkeKey: id("key") }));
  const signer = contractSigner(account, ({ domain, types, message }) =>
    world.gatewaySigner.signTypedData(domain, types, message),
  );
  const gateway = createGateway(world.connection, { store: world.store, signer });
  return {
    gateway,
    anchor: async () => {
      const { to, data } = await gateway.anchor().populate();
      return wallet.connect(world.gatewaySigner).execute(to as string, data!);
    },
  };
}

describe("SDK: receipts and proofs of access", () => {
  describe("given a receipt of an access that was allowed", () => {
    it("lets who holds a key release it", async () => {
      const world = await worldOf(deployAccessWorld);
      const { receipt } = await world.gateway.attempt(attemptOf(world, { sensitivities: ["PSY"] }));
      const expected = expectedOf(world, { patient: world.patient.toUpperCase().replace("0X", "0x") });
      const statement = await verifyReceipt(world.reader, JSON.parse(JSON.stringify(receipt)), expected);
      expect(statement).to.deep.equal(receipt.statement);
      await verifyReceipt(world.reader, receipt, { ...expected, sensitivities: ["PSY"] });
    });

    it("does not for another patient, account or more than it says, later, or once the gateway is suspended", async () => {
      const world = await worldOf(deployAccessWorld);
      const { receipt } = await world.gateway.attempt(attemptOf(world));
      const failing = async (path: string, changes: Partial<ReceiptExpectations>): Promise<void> => {
        const attempt = verifyReceipt(world.reader, receipt, expectedOf(world, changes));
        expect((await refusal("ACCESS_RECEIPT_INVALID", attempt)).details.path).to.equal(path);
      };
      await failing("$.statement.patient", { patient: id("another") });
      await failing("$.statement.who", { who: world.hospital.address });
      await failing("$.statement.who", { who: "nobody" });
      await failing("$.statement.resourceTypes", { resourceTypes: ["Observation", "Condition"] });
      await failing("$.statement.resourceTypes", { resourceTypes: [] });
      await failing("$.statement.sensitivities", { sensitivities: ["HIV"] });
      await time.increase(301);
      await failing("$.statement.at", {});
      await verifyReceipt(world.reader, receipt, expectedOf(world, { maxAge: DAY }));
      await run(world.office.suspend(await world.gateway.account()));
      await failing("$.statement.gateway", { maxAge: DAY });
    });

    it("does not when anything in it was changed", async () => {
      const world = await worldOf(deployAccessWorld);
      const { receipt } = await world.gateway.attempt(attemptOf(world));
      const { statement } = receipt;
      const changes: Partial<Record<keyof AccessReceipt, unknown>>[] = [
        { chainId: 1 },
        { accessLog: world.deployment.mandates },
        { salt: id("another") },
        { place: id("another") },
        { signature: "0x" },
        { signature: `0x${"11".repeat(65)}` },
        { statement: { ...statement, action: "delete" } },
        { statement: { ...statement, confidentiality: "V" } },
        { statement: { ...statement, purposes: ["HMARKT"] } },
        { statement: { ...statement, gateway: world.otherGateway.address } },
        { statement: { ...statement, number: 0 } },
        { carepact: "access-history" },
        { version: 2 },
        { more: true } as never,
      ];
      for (const change of changes)
        await refusal(
          "ACCESS_RECEIPT_INVALID",
          verifyReceipt(world.reader, { ...receipt, ...change }, expectedOf(world)),
        );
      for (const odd of [undefined, null, 1, "receipt", [], {}])
        await refusal("ACCESS_RECEIPT_INVALID", verifyReceipt(world.reader, odd, expectedOf(world)));
    });
  });

  it("signs under the domain that the deployed contract publishes (ERC-5267)", async () => {
    const { deployment } = await worldOf(deployAccessWorld);
    const contract = await ethers.getContractAt("AccessLog", deployment.accessLog);
    const { name, version, chainId, verifyingContract } = await contract.eip712Domain();
    const terms = { gateway: deployment.accessLog, place: id("x"), at: 1, entryHash: id("x") };
    expect(receiptMessage(deployment, terms).domain).to.deep.equal({
      name,
      version,
      chainId: Number(chainId),
      verifyingContract,
    });
  });

  it("does not release anything against the receipt of a refusal, or of somebody who is no gateway", async () => {
    const world = await worldOf(deployAccessWorld);
    const who = world.stranger.address;
    const { receipt } = await world.gateway.attempt(attemptOf(world, { who }));
    const refused = verifyReceipt(world.reader, receipt, expectedOf(world, { who }));
    expect((await refusal("ACCESS_RECEIPT_INVALID", refused)).details.path).to.equal("$.statement.outcome");

    const impostor = createGateway(
      { runner: world.hospital, deployment: world.deployment },
      { store: world.store, permission: () => Promise.resolve({ permitted: true }) },
    );
    const forged = (await impostor.attempt(attemptOf(world))).receipt;
    const attempt = verifyReceipt(world.reader, forged, expectedOf(world));
    expect((await refusal("ACCESS_RECEIPT_INVALID", attempt)).details.path).to.equal("$.statement.gateway");
  });

  it("takes receipts, roots and histories of a gateway that is a wallet contract (ERC-1271)", async () => {
    const world = await worldOf(deployAccessWorld);
    const { gateway, anchor } = await walletGateway(world);
    const { receipt } = await gateway.attempt(attemptOf(world));
    expect(receipt.statement.gateway).to.equal(await gateway.account());
    await verifyReceipt(world.reader, receipt, expectedOf(world));
    const forged = { ...receipt, place: id("another") };
    const attempt = verifyReceipt(world.reader, forged, expectedOf(world));
    expect((await refusal("ACCESS_RECEIPT_INVALID", attempt)).details.path).to.equal("$.signature");

    await anchor();
    const history = await openHistory(await gateway.history(world.patient, { view: "patient" }), world.keys.privateKey);
    expect((await audited(world, history, { receipts: [receipt] })).findings).to.deep.equal([]);
  });

  it("takes whatever else a contract answers for a no", async () => {
    const world = await worldOf(deployAccessWorld);
    const { receipt } = await world.gateway.attempt(attemptOf(world));
    for (const mode of [0, 1, 2, 3, 4, 5, 6]) {
      const wallet = await ethers.deployContract("Erc1271Misbehaving", [mode]);
      const gateway = await wallet.getAddress();
      await run(world.office.register(gateway, { name: "gateway", kinds: ["gateway"], hpkeKey: id("key") }));
      const forged = { ...receipt, statement: { ...receipt.statement, gateway } };
      const attempt = verifyReceipt(world.reader, forged, expectedOf(world, { maxAge: DAY }));
      expect((await refusal("ACCESS_RECEIPT_INVALID", attempt)).details.path, `mode ${mode}`).to.equal("$.signature");
    }
  });

  describe("given a history", () => {
    const rounds = async (): Promise<AccessWorld> => {
      const world = await worldOf(deployAccessWorld);
      const other = attemptOf(world, { who: world.stranger.address, resourceTypes: ["MedicationRequest"] });
      const own = { ...world, gateway: gatewayOver(world, { ownCategories: () => ["PSY"] as const }) };
      const hidden = attemptOf(world, { sensitivities: ["PSY"] });
      await logged(own, [other, attemptOf(world), other, hidden], [other], [hidden, other, other]);
      return own;
    };

    it("proves each entry, and shows nothing of the others", async () => {
      const world = await rounds();
      const history = await historyOf(world);
      for (const compartment of ["shared", "own"] as const)
        for (const { number, statement } of history.trails[compartment]!.entries) {
          const proof = proveEntry(history, { compartment, number });
          const { entry, root } = await verifyEntry(world.reader, JSON.parse(JSON.stringify(proof)));
          expect(entry).to.deep.equal({ ...statement, number });
          expect(root.gateway).to.equal(await world.gateway.account());
          expect(root.at).to.be.at.least(entry.at);
        }
      const proof = proveEntry(history, { number: 1 });
      expect(proof.sequence).to.equal(1);
      const text = JSON.stringify(proof);
      expect(text).not.to.contain("MedicationRequest");
      expect(text).not.to.contain(world.stranger.address);
      expect(text).not.to.contain("own");
      for (const trail of Object.values(history.trails)) {
        expect(text).not.to.contain(trail.salt);
        for (const { number, salt } of trail.entries) if (number !== 1) expect(text).not.to.contain(salt);
      }
    });

    it("does not prove what is not there, or not anchored", async () => {
      const world = await rounds();
      await world.gateway.attempt(attemptOf(world));
      const history = await historyOf(world);
      const last = history.trails.shared!.entries.length - 1;
      for (const number of [last, last + 1, -1, 0.5])
        await refusal("ACCESS_PROOF_INVALID", () => proveEntry(history, { number }));
      await refusal("ACCESS_HISTORY_MALFORMED", () => proveEntry({}, { number: 0 }));
    });

    it("refuses a proof in which anything was changed", async () => {
      const world = await rounds();
      const proof = proveEntry(await historyOf(world), { number: 1 });
      const changes: Partial<Record<keyof AccessProof, unknown>>[] = [
        { sequence: 2 },
        { sequence: 99 },
        { number: 2 },
        { statement: { ...proof.statement, action: "delete" } },
        { statement: { ...proof.statement, gateway: world.otherGateway.address } },
        { salt: id("x") },
        { trail: id("x") },
        { previous: id("x") },
        { links: [] },
        { links: [...proof.links].reverse().concat(id("x")) },
        { blind: id("x") },
        { other: id("x") },
        { position: proof.position ^ 1 },
        { width: proof.width * 2 },
        { proof: proof.proof.slice(1) },
        { proof: [...proof.proof, id("x")] },
        { chainId: 1 },
        { accessLog: world.deployment.mandates },
        { more: 1 } as never,
      ];
      for (const change of changes)
        await refusal("ACCESS_PROOF_INVALID", verifyEntry(world.reader, { ...proof, ...change }));
    });

    it("is read from its text again, and from no other", async () => {
      const world = await rounds();
      const history = await historyOf(world);
      const text = JSON.stringify(history);
      expect(parseHistory(text)).to.deep.equal(history);
      await refusal("FILE_TOO_BIG", () => parseHistory(text, { maxBytes: text.length - 1 }));
      for (const odd of ["", text.slice(1), "null", "[]", '"x"', 7 as never])
        await refusal("ACCESS_HISTORY_MALFORMED", () => parseHistory(odd));
      const newer = await refusal("FILE_VERSION_UNSUPPORTED", () =>
        parseHistory(text.replace('"version":1', '"version":2')),
      );
      expect(newer.details).to.deep.include({ version: 2, supported: 1 });

      const sealed = await world.gateway.history(world.patient, { view: "patient" });
      const { privateKey } = world.keys;
      await refusal("ACCESS_HISTORY_MALFORMED", openHistory({ ...sealed, ciphertext: "%" }, privateKey));
      await refusal("ACCESS_HISTORY_MALFORMED", openHistory({ ...sealed, version: 2 }, privateKey));
      await refusal("SEALED_UNREADABLE", openHistory({ ...sealed, ciphertext: "AAAA" }, privateKey));
      await refusal("KEY_INVALID", openHistory(sealed, "0x12"));
    });

    it("hides its length but for whole blocks", async () => {
      const world = await worldOf(deployAccessWorld);
      const lengths = new Set<number>();
      for (let i = 0; i < 3; i += 1) {
        await world.gateway.attempt(attemptOf(world));
        const { ciphertext } = await world.gateway.history(world.patient, { view: "patient" });
        lengths.add(Buffer.from(ciphertext, "base64").length);
      }
      expect([...lengths]).to.deep.equal([4096 + 16]);
    });

    it("proves nothing of a store that was changed after it was anchored", async () => {
      const world = await rounds();
      rewrite(world.rows, `entry/${world.patient}/shared/000000000000001`, (entry: { statement: object }) => ({
        ...entry,
        statement: { ...entry.statement, who: world.stranger.address },
      }));
      // Behind it every head is another one: the honest code of a gateway notices.
      await refusal("ACCESS_LOG_INCONSISTENT", historyOf(world));
    });
  });
});
