import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";
import { encryptKeystoreJsonSync, Wallet, type HDNodeWallet } from "ethers";
import hre from "hardhat";
// Hardhat 2 has no public way to a second environment in one process.
import { HardhatContext } from "hardhat/internal/context";
import { Environment } from "hardhat/internal/core/runtime-environment";

import { signingSiteOf } from "../../deploy/signing";
import { exitCodes } from "../../tasks/support/exitCodes";
import { captured, type Ended } from "../tasks/support";

import { emptyFolder, parametersFile, startAnvil, thrownBy, TRANSACTIONS, type Anvil } from "./support";

const CHAIN = 424_242;
const PASSWORD = "correct horse battery";
/** Weak, as only a test may encrypt. */
const quick = { scrypt: { N: 2, r: 1, p: 1 } };

const folder = emptyFolder();
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, 0o600);
  return path;
}
const keystoreOf = ({ address, privateKey }: HDNodeWallet, name: string): string =>
  file(name, encryptKeystoreJsonSync({ address, privateKey }, PASSWORD, quick));

/** Commands on the node at `url`, as the terminal runs them, but in this process. */
function environmentAt(url: string): Environment {
  const { tasksDSL, environmentExtenders, providerExtenders } = HardhatContext.getHardhatContext();
  const { config } = hre;
  return new Environment(
    {
      ...config,
      networks: { ...config.networks, localhost: { ...config.networks.localhost, url } },
      // Nothing else is sent here that confirmations could come of.
      ignition: { ...config.ignition, requiredConfirmations: 1, blockPollingInterval: 20 },
    },
    { ...hre.hardhatArguments, network: "localhost", verbose: true },
    tasksDSL.getTaskDefinitions(),
    tasksDSL.getScopesDefinitions(),
    environmentExtenders,
    hre.userConfig,
    providerExtenders,
  );
}

/** One story, told in order: each step needs the one before. */
describe("The account that deploys and upgrades on a public chain", () => {
  const deployer = Wallet.createRandom();
  const upgrader = Wallet.createRandom();
  const keystore = keystoreOf(deployer, "deployer.json");
  const password = { CAREPACT_KEYSTORE_PASSWORD_FILE: file("password", `${PASSWORD}\n`) };
  const others = [Wallet.createRandom(), Wallet.createRandom(), Wallet.createRandom()].map(({ address }) => address);
  const [governance, pauser, credentialing] = others;
  const places = {
    parameters: parametersFile({ governance, pauser, credentialing, upgrader: upgrader.address }),
    journal: join(folder, "journal"),
    record: join(folder, "deployments.json"),
  };
  const v2 = { proxy: "Mandates", contract: "MandatesV2" };
  const said: string[] = [];
  let anvil: Anvil;
  let environment: Environment;

  before(async () => {
    anvil = await startAnvil("--chain-id", String(CHAIN));
    environment = environmentAt(anvil.url);
    for (const { address } of [deployer, upgrader])
      await anvil.provider.send("anvil_setBalance", [address, "0xde0b6b3a7640000"]);
  });
  after(() => anvil.stop());

  async function command(
    name: string,
    options: Record<string, unknown>,
    variables: NodeJS.ProcessEnv,
    at = environment,
  ): Promise<Ended> {
    const ended = await captured(variables, async () => {
      await at.run(name, { json: true, ...places, ...options });
    });
    said.push(ended.stdout, ended.stderr);
    return ended;
  }
  const sentBy = ({ address }: HDNodeWallet): Promise<number> => anvil.provider.getTransactionCount(address);

  it("is refused, before anything is sent, where it is not clear or does not open", async () => {
    const key = { CAREPACT_PRIVATE_KEY: deployer.privateKey };
    const wrong = { CAREPACT_KEYSTORE_PASSWORD_FILE: file("wrong", "wrong horse battery") };
    const cases: [Record<string, unknown>, NodeJS.ProcessEnv, RegExp][] = [
      [{ keystore }, wrong, /the password does not open/],
      [{}, { ...wrong, CAREPACT_KEYSTORE: keystore }, /the password does not open/],
      [{ keystore }, {}, /no terminal to ask for a password at/],
      [{ keystore: "no.json" }, password, /no\.json cannot be read/],
      [{ keystore }, { ...password, ...key }, /name two accounts/],
      [{}, { ...password, ...key, CAREPACT_KEYSTORE: keystore }, /name two accounts/],
      [{}, { CAREPACT_PRIVATE_KEY: `${deployer.privateKey}00` }, /is no private key/],
    ];
    for (const [options, variables, says] of cases) {
      const { code, stderr, json } = await command("deploy", { send: true, ...options }, variables);
      expect(stderr).to.match(says);
      expect(code, stderr).to.equal(exitCodes.input);
      expect(json).to.deep.include({ ok: false }).and.to.have.nested.property("error.kind", "input");
    }
    expect(await sentBy(deployer)).to.equal(0);
    expect([existsSync(places.journal), existsSync(places.record)]).to.deep.equal([false, false]);
  });

  it("comes from an encrypted keystore, for the rehearsal and for what is sent", async () => {
    const rehearsed = await command("deploy", { keystore }, password);
    expect(rehearsed.code, rehearsed.stderr).to.equal(exitCodes.ok);
    expect(rehearsed.json).to.include({ dryRun: true, deployer: deployer.address });
    expect(await sentBy(deployer)).to.equal(0);

    const deployed = await command("deploy", { send: true }, { ...password, CAREPACT_KEYSTORE: keystore });
    expect(deployed.code, deployed.stderr).to.equal(exitCodes.ok);
    expect(deployed.json).to.include({ ok: true, sent: TRANSACTIONS, recorded: true });
    expect(await sentBy(deployer)).to.equal(TRANSACTIONS);
    expect(await anvil.provider.getBlockNumber()).to.equal(TRANSACTIONS);
  });

  it("is another for upgrades, which end with a code of their own before their time", async () => {
    const signs = { ...password, CAREPACT_KEYSTORE: keystoreOf(upgrader, "upgrader.json") };
    const scheduled = await command("upgrade:schedule", { ...v2, send: true }, signs);
    expect(scheduled.code, scheduled.stdout).to.equal(exitCodes.ok);
    expect(scheduled.json).to.include({ stage: "scheduled", sent: 2 });
    expect(await sentBy(upgrader)).to.equal(2);
    const early = await command(
      "upgrade:execute",
      { ...v2, send: true },
      { CAREPACT_PRIVATE_KEY: upgrader.privateKey },
    );
    expect(early.code).to.equal(exitCodes.early);
    expect(early.json).to.have.nested.property("error.kind", "early");
    expect(await sentBy(upgrader)).to.equal(2);
  });

  it("does not matter where the call is wrong, or no node answers", async () => {
    const unknown = await command("upgrade:prepare", { proxy: "Mandates", contract: "Nothing" }, {});
    expect(unknown.code).to.equal(exitCodes.input);
    const parameters = parametersFile({ governance });
    expect((await command("deploy:check", { parameters }, {})).code).to.equal(exitCodes.input);
    const waits = await command("deploy:check", {}, {});
    expect(waits.code).to.equal(exitCodes.notOk);
    expect(waits.stdout).to.include("Operations that wait");
    const silent = await command("deploy:check", {}, {}, environmentAt("http://127.0.0.1:9"));
    expect(silent.code).to.equal(exitCodes.network);
    expect(silent.json).to.have.nested.property("error.kind", "network");
  });

  it("never shows its key, nor leaves it in a file", () => {
    const files = readdirSync(places.journal, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
    const kept = [places.record, ...files.map(({ parentPath, name }) => join(parentPath, name))];
    const texts = [...said, ...kept.map((path) => readFileSync(path, "utf8"))].map((text) => text.toLowerCase());
    expect(said.join("")).to.include("Opening ");
    expect(kept).to.have.length.above(3);
    for (const secret of [deployer, upgrader].map(({ privateKey }) => privateKey.slice(2)).concat(PASSWORD))
      for (const part of [secret.slice(0, 18), secret.slice(-18)])
        expect(texts.filter((text) => text.includes(part))).to.have.length(0);
  });
});

describe("The account that deploys on a local chain", () => {
  it("is the node's own, whatever the environment names", async () => {
    const site = await signingSiteOf(hre, {}, () => undefined);
    await captured({ CAREPACT_PRIVATE_KEY: Wallet.createRandom().privateKey }, async () => {
      expect((await signingSiteOf(hre, {}, () => undefined)).accounts).to.deep.equal(site.accounts);
    });
  });

  it("is no keystore's where the chain ends with the command", async () => {
    const { message } = await thrownBy(signingSiteOf(hre, { keystore: "deployer.json" }, () => undefined));
    expect(message).to.include("Name a --network");
  });
});
