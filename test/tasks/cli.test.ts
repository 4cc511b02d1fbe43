import { expect } from "chai";
import { Wallet } from "ethers";

import { deployments, run, type Deployment } from "@carepact/sdk";
import { createClaims, type Attestation, type ClaimBatchFile } from "@carepact/sdk/claims";
import { deployDevnet, devnet, devnetAccount } from "@carepact/sdk/devnet";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { createOrganizations } from "@carepact/sdk/organizations";
import { createPools } from "@carepact/sdk/pools";
import { createRulebooks, simpleRulebook } from "@carepact/sdk/rulebooks";

import { fill as filled } from "../integration/support";
import { startAnvil, type Anvil } from "../support/anvil";

import { runs, start } from "./processes";
import { folder, type Json } from "./support";

const { file } = folder();

/** anvil with the devnet's deployment, which commands know without being told. */
describe("Tasks at the real terminal", () => {
  let anvil: Anvil;
  before(async () => {
    anvil = await startAnvil();
    await deployDevnet(anvil.provider);
  });
  after(() => anvil.stop());

  it("keep results and progress apart, read stdin, and end in one JSON object", async () => {
    const attesters = [devnetAccount(5).address];
    const short = { attesters, threshold: 1, eventKinds: ["dispense"], grace: "3d" };
    const args = ["rulebook:publish", "--file", "-", "--json", "--keystore", "no.json"];
    const [published, failed, help] = await Promise.all([
      runs(anvil.url, ["rulebook:publish", "--file", "-", "--as", "1", "--json"], { input: JSON.stringify(short) }),
      runs(anvil.url, args, { input: JSON.stringify(short) }),
      runs(anvil.url, ["batch:watch", "--help"]),
    ]);
    expect(published.code, published.stderr).to.equal(0);
    expect(published.stdout.trimEnd().split("\n")).to.have.length(1);
    expect(published.json).to.include({ ok: true, changed: true });
    expect(published.stderr).to.match(/^Sent 0x[0-9a-f]{64}, waiting \.\.\.$/m);

    expect(failed.code).to.equal(2);
    expect(failed.stdout.trimEnd().split("\n")).to.have.length(1);
    expect(failed.json.error).to.include({ code: "INPUT_INVALID" });
    expect(failed.stderr).to.include("Error: --keystore: no.json cannot be read").and.not.to.include("    at ");
    expect(help.code).to.equal(0);
    expect(help.stdout).to.include("Example: npx hardhat batch:watch --file batch.json");
  });

  it("show no key, even where they show all else, and end with 3 when there is no node", async () => {
    const canary = Wallet.createRandom().privateKey;
    const token = devnet.token.address;
    const args = ["--verbose", "pool:deposit", "--token", token, "--amount", "1.00", "--json"];
    const environment = { CAREPACT_PRIVATE_KEY: canary, CAREPACT_SEALING_KEY: canary };
    const [refused, alone] = await Promise.all([
      runs(anvil.url, args, { environment }),
      runs("http://127.0.0.1:9", ["pool:balances", "--token", token, "--account", token, "--json"]),
    ]);
    expect(refused.code).to.equal(1);
    expect(refused.json.error).to.include({ code: "CONTRACT_REVERTED" });
    expect(refused.stderr, "what is behind it").to.include("ERC20InsufficientAllowance").and.to.include("hardhat:core");
    for (const text of [refused.stdout, refused.stderr]) {
      expect(text).not.to.include(canary.slice(2, 20));
      expect(text).not.to.include(canary.slice(-18));
    }
    expect(alone.code).to.equal(3);
    expect(alone.json.error).to.include({ code: "NODE_UNREACHABLE" });
  });

  it("follow a batch live until it settles, or Ctrl-C", async () => {
    const { batch, attestation, settle } = await fundedBatch(anvil);
    const path = file("batch.json", batch);
    const args = ["batch:watch", "--file", path, "--json"];
    const watching = start(anvil.url, [...args, "--until", "settled"]);
    const interrupted = start(anvil.url, args);
    await Promise.all([watching.says(/"change":"status"/), interrupted.says(/"change":"status"/)]);
    interrupted.child.kill("SIGINT");
    const left = await interrupted.ended;
    expect(left.code).to.equal(130);
    expect(left.json).to.include({ ok: false, until: "closed", reached: false, open: "90.00" });
    expect(left.stderr).not.to.include("Error");

    await settle(attestation);
    const { code, stdout, json } = await watching.ended;
    expect(code).to.equal(0);
    const names = stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as Json).name as string | undefined);
    expect(names).to.deep.equal([
      "ClaimBatchFunded",
      undefined,
      "GroupSettled",
      "ClaimBatchSettled",
      undefined,
      undefined,
    ]);
    expect(json).to.include({ ok: true, until: "settled", reached: true, open: "0.00" });
  });
});

/** A batch of one fill, and what settles it: by the SDK, since commands only watch here. */
async function fundedBatch({ provider }: Anvil): Promise<{
  batch: ClaimBatchFile;
  attestation: Attestation;
  settle: (attestation: Attestation) => Promise<unknown>;
}> {
  const deployment = deployments[devnet.chainId] as Deployment;
  const as = (index: number) => ({ runner: devnetAccount(index).connect(provider), deployment });
  const [payer, pharmacy, attester] = [devnetAccount(1), devnetAccount(2), devnetAccount(5)];
  const token = devnet.token.address;
  const amount = 1_000_000_000n;
  const mint = `0x40c10f19${payer.address.slice(2).padStart(64, "0")}${amount.toString(16).padStart(64, "0")}`;
  await (await as(1).runner.sendTransaction({ to: token, data: mint })).wait();
  const { publicKey: hpkeKey } = await generateSealingKeys();
  const organizations = createOrganizations(as(0));
  await run(organizations.register(payer.address, { name: "Payer", kinds: ["payer"], hpkeKey }));
  await run(organizations.register(pharmacy.address, { name: "Pharmacy", kinds: ["pharmacy"], hpkeKey }));
  const rules = { attesters: [attester.address], threshold: 1, eventKinds: 1, grace: 4 * 24 * 60 * 60 };
  const { id: rulebook } = await run(createRulebooks(as(1)).publish(simpleRulebook(rules)));
  await run(createPools(as(1)).depositWithPermit({ token, amount }));
  const eventBy = ((await provider.getBlock("latest"))?.timestamp ?? 0) + 14 * 24 * 60 * 60;
  const adjudicated = [filled(pharmacy.address, "11", "90.00")];
  const { file: batch } = await run(createClaims(as(1)).fund({ adjudicated, rulebook, token, eventBy }));
  const attestation = await createClaims(as(5)).attest(batch, [{ result: "met" }]);
  return { batch, attestation, settle: (signed) => run(createClaims(as(3)).settle(batch, [signed])) };
}
