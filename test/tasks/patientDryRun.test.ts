import { existsSync } from "node:fs";

import { expect } from "chai";
import { Wallet } from "ethers";
import hre from "hardhat";

import { deployments } from "@carepact/sdk";
import { deployDevnet, devnet, devnetAccount } from "@carepact/sdk/devnet";

import { finish } from "../../tasks/support/finish";
import { newSigningKeystore } from "../../tasks/support/keystore";
import { startAnvil, type Anvil } from "../support/anvil";

import { captured, folder, type Ended, type Json } from "./support";

const { path, file } = folder();
const KEY = `0x${"ab".repeat(32)}`;
const PASSWORD = "correct horse battery staple";
const relayer = devnetAccount(1);

/** Nothing but its id makes a chain public; a mistake here costs nobody anything. */
describe("Tasks of patients on a public chain", () => {
  let anvil: Anvil;
  let deployment: string;
  let signerKeystore: string;
  const env = {
    CAREPACT_PRIVATE_KEY: relayer.privateKey,
    CAREPACT_KEYSTORE_PASSWORD_FILE: file("password", `${PASSWORD}\n`),
  };
  before(async () => {
    const local = await startAnvil();
    await deployDevnet(local.provider);
    const state: unknown = await local.provider.send("anvil_dumpState", []);
    await local.stop();
    anvil = await startAnvil(["--chain-id", "10"]);
    await anvil.provider.send("anvil_loadState", [state]);
    deployment = file("deployment.json", { ...deployments[devnet.chainId], chainId: 10, startBlock: 0 });
    signerKeystore = file("patient.json", (await newSigningKeystore(PASSWORD)).text);
  });
  after(() => anvil.stop());

  /** As Hardhat runs a task, but on this chain: what network it works on is fixed while it starts. */
  async function runs(
    name: string,
    options: Record<string, string | boolean>,
    { send = false, as, environment = env }: { send?: boolean; as?: string; environment?: NodeJS.ProcessEnv } = {},
  ): Promise<Ended> {
    const { provider } = anvil;
    const network = { value: { name: "ten", provider: { send: provider.send.bind(provider) } } };
    const { run } = (await import(`../../tasks/${name.replace(":", "/")}`)) as { run: Parameters<typeof finish>[2] };
    const common = { json: true, deployment, send, ...(as === undefined ? {} : { as }) };
    return captured(environment, () =>
      finish(Object.create(hre, { network }) as typeof hre, common, (call) =>
        (run as (...args: unknown[]) => ReturnType<typeof run>)(call, options),
      ),
    );
  }

  const sent = (): Promise<number> => anvil.provider.getTransactionCount(relayer.address, "pending");

  it("say what they would send, without the signature with which anybody could, and write nothing", async () => {
    const before = await sent();
    const registration = { hpkeKey: KEY, salt: KEY, signerKeystore };
    const rehearsed = await runs("patient:register", registration);
    expect(rehearsed.code, rehearsed.stderr).to.equal(0);
    expect(rehearsed.json).to.include({ ok: true, dryRun: true });
    expect(rehearsed.json.planned)
      .to.include({ contract: "ConsentRegistry", function: "register", from: relayer.address })
      .and.not.to.have.property("data");
    const own = await runs("patient:register", { hpkeKey: KEY });
    expect(own.json.planned, "the account's own, which nobody else can send").to.have.property("data");
    expect(await sent()).to.equal(before);

    const registered = await runs("patient:register", registration, { send: true });
    expect(registered.code, registered.stderr).to.equal(0);
    const patient = registered.json.patient as string;
    const contacts = {
      patient,
      step: "set",
      contacts: relayer.address,
      threshold: "1",
      delay: "3d",
      out: path("contacts.json"),
      signerKeystore,
    };
    expect((await runs("patient:contacts", contacts)).json).to.include({ dryRun: true });
    const restrictions = { patient, categories: "PSY", out: path("restrictions.json"), signerKeystore };
    expect((await runs("consent:restrict", restrictions)).json).to.include({ dryRun: true });
    const custody = { hpkeKey: KEY, custodian: relayer.address, out: path("custody.json") };
    expect((await runs("patient:register", custody)).json).to.include({ dryRun: true });
    for (const { out } of [contacts, restrictions, custody]) expect(existsSync(out), out).to.equal(false);
    expect(await sent()).to.equal(before + 1);

    expect((await runs("consent:restrict", restrictions, { send: true })).code).to.equal(0);
    expect(existsSync(restrictions.out)).to.equal(true);
  });

  it("take no account of the node, and sign for nobody whose key is not here", async () => {
    const before = await sent();
    for (const [name, options, setting, code, says] of [
      ["patient:register", { hpkeKey: KEY, signer: "1" }, {}, 2, /--signer: chain 10 is not local/],
      ["patient:register", { hpkeKey: KEY, signerKeystore, signer: "1" }, {}, 2, /name two keys/],
      [
        "consent:grant",
        {
          patient: KEY,
          grantee: relayer.address,
          purposes: "TREAT",
          categories: "Observation",
          until: "1w",
          out: path("g"),
        },
        { as: relayer.address, environment: {} },
        2,
        /A signature needs the account's key/,
      ],
    ] as [string, Record<string, string>, Parameters<typeof runs>[2], number, RegExp][]) {
      const failed = await runs(name, options, setting);
      expect(failed.stderr).to.match(says);
      expect(failed.code).to.equal(code);
    }
    expect(await sent()).to.equal(before);
  });

  it("show no key and no password, whatever goes wrong", async () => {
    const canary = Wallet.createRandom().privateKey;
    const failed = await runs(
      "patient:rotate",
      { patient: KEY, to: "1", grants: "keep", signerKeystore },
      { environment: { ...env, CAREPACT_PRIVATE_KEY: canary } },
    );
    expect(failed.code).to.equal(2);
    expect((failed.json.error as Json).code).to.equal("INPUT_INVALID");
    for (const text of [failed.stdout, failed.stderr])
      expect(text).not.to.include(PASSWORD).and.not.to.include(canary.slice(2, 20));
  });
});
