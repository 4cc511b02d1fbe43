import { chmodSync, readFileSync, statSync } from "node:fs";
import { PassThrough } from "node:stream";

import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { encryptKeystoreJsonSync, HDNodeWallet, Wallet } from "ethers";
import hre from "hardhat";

import { seal, unseal } from "@carepact/sdk/encryption";

import type { Call } from "../../tasks/support/call";
import { finish } from "../../tasks/support/finish";
import { openSealingKeystore } from "../../tasks/support/keystore";
import { askHidden } from "../../tasks/support/password";
import { sealingKeyOf } from "../../tasks/support/sealing";
import { keepSecret, redacted } from "../../tasks/support/secrets";

import { accounts, captured, command, folder, lastLine, type Ended } from "./support";
import { deployedWorld, fundedWorld } from "./world";

const PASSWORD = "correct horse battery";
/** Hardhat's published account, whose key everybody knows. */
const known = HDNodeWallet.fromPhrase(
  "test test test test test test test test test test test junk",
  "",
  `m/44'/60'/0'/0/${accounts.payer}`,
);
/** Weak, as only a test may encrypt. */
const quick = { scrypt: { N: 2, r: 1, p: 1 } };

const { path, file } = folder();
const password = file("password", `${PASSWORD}\n`);
chmodSync(password, 0o600);
const environment = { CAREPACT_KEYSTORE_PASSWORD_FILE: password };

function keystoreOf({ address, privateKey }: { address: string; privateKey: string }, name = "known.json"): string {
  const keystore = file(name, encryptKeystoreJsonSync({ address, privateKey }, PASSWORD, quick));
  chmodSync(keystore, 0o600);
  return keystore;
}

/** Everything a command wrote, as a thief would search it. */
const said = ({ stdout, stderr }: Ended): string => (stdout + stderr).toLowerCase();
const bare = (key: string): string => key.slice(2).toLowerCase();

describe("Tasks: keys", () => {
  describe("keys:new and keys:show", () => {
    it("make keystores for the owner alone, that open with the password, and tell addresses only", async () => {
      const options = { signing: path("a.json"), sealing: path("a.sealing.json") };
      const made = await command("keys:new", options, environment);
      expect(made.code, made.stderr).to.equal(0);
      for (const keystore of Object.values(options)) expect(statSync(keystore).mode & 0o777).to.equal(0o600);

      const account = (await Wallet.fromEncryptedJson(readFileSync(options.signing, "utf8"), PASSWORD)) as Wallet;
      expect(made.json).to.include({ account: account.address, ...options });
      process.env["CAREPACT_KEYSTORE_PASSWORD_FILE"] = password;
      const privateKey = await openSealingKeystore({ tell: () => undefined }, options.sealing, "--sealing").finally(
        () => {
          delete process.env["CAREPACT_KEYSTORE_PASSWORD_FILE"];
        },
      );
      const context = { info: new Uint8Array(), aad: new Uint8Array() };
      const sealed = await seal(made.json.hpkeKey as string, new Uint8Array([7]), context);
      expect(await unseal(privateKey, sealed, context)).to.deep.equal(new Uint8Array([7]));
      for (const secret of [bare(account.privateKey), bare(privateKey), PASSWORD])
        expect(said(made)).not.to.include(secret);

      const shown = await command("keys:show", { keystores: Object.values(options).join(",") });
      expect(shown.json.keystores).to.deep.equal([
        { file: options.signing, address: account.address },
        { file: options.sealing, publicKey: made.json.hpkeKey },
      ]);
      const again = await command("keys:new", options, environment);
      expect(again.code).to.equal(2);
      // Nothing forces a key to be written over.
      expect(again.stderr).to.include("exists already; give another name").and.not.to.include("--force");
    });

    it("ask for a file, a password, and a keystore that is one", async () => {
      expect((await command("keys:new", {}, environment)).stderr).to.include("Give --signing, --p256, --sealing");
      const one = { signing: path("one.json"), sealing: path("./one.json") };
      const same = await command("keys:new", one, environment);
      expect(same.code).to.equal(2);
      expect(same.stderr).to.include("--signing and --sealing need names of their own");
      expect(() => statSync(one.signing)).to.throw("ENOENT");
      const noTerminal = await command("keys:new", { signing: path("b.json") });
      expect(noTerminal.stderr).to.include("There is no terminal to ask for a password at");
      const empty = { CAREPACT_KEYSTORE_PASSWORD_FILE: file("empty", "\n") };
      expect((await command("keys:new", { signing: path("b.json") }, empty)).stderr).to.include("is empty");
      expect(() => statSync(path("b.json"))).to.throw("ENOENT");
      for (const [name, content] of [
        ["text", "no JSON"],
        ["other", { some: "thing" }],
      ] as const)
        expect((await command("keys:show", { keystores: file(name, content) })).code).to.equal(2);
    });
  });

  describe("the account that signs", () => {
    it("comes from a keystore or the environment, or is one of a local node's", async () => {
      const { at, token, address } = await loadFixture(deployedWorld);
      const keystore = keystoreOf(known);
      const approve = async (options: Record<string, string>, env: NodeJS.ProcessEnv = {}): Promise<Ended> => {
        const ended = await command("pool:approve", { ...at, token, amount: "1.00", json: false, ...options }, env);
        expect(ended.code, ended.stderr).to.equal(0);
        expect(ended.stdout).to.include(`of ${known.address}.`);
        return ended;
      };
      await approve({ keystore }, environment);
      await approve({}, { ...environment, CAREPACT_KEYSTORE: keystore });
      await approve({}, { CAREPACT_PRIVATE_KEY: known.privateKey });
      await approve({}, { CAREPACT_PRIVATE_KEY: bare(known.privateKey) });
      await approve({ as: accounts.payer }, { CAREPACT_PRIVATE_KEY: Wallet.createRandom().privateKey });
      await approve({ as: address(accounts.payer) });
    });

    it("has to be one, and only one", async () => {
      const { at, token } = await loadFixture(deployedWorld);
      const call = (options: Record<string, string>, env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
        command("pool:approve", { ...at, token, amount: "1.00", ...options }, env);
      const key = { CAREPACT_PRIVATE_KEY: known.privateKey };
      for (const [options, env, says] of [
        [{}, {}, /Nothing says which account signs/],
        [{ keystore: path("x"), as: "0" }, {}, /--keystore and --as name two accounts/],
        [{}, { ...key, CAREPACT_KEYSTORE: path("x") }, /name two accounts/],
        [{ as: "99" }, {}, /the node has no such account/],
        [{ as: Wallet.createRandom().address }, {}, /the node has no such account/],
        [{ keystore: path("none.json") }, environment, /cannot be read: there is none/],
      ] as [Record<string, string>, NodeJS.ProcessEnv, RegExp][]) {
        const { code, stderr } = await call(options, env);
        expect(stderr).to.match(says);
        expect(code).to.equal(2);
      }
    });

    it("is refused without showing its key, whatever is wrong with it", async () => {
      const { at, token } = await loadFixture(deployedWorld);
      const canary = Wallet.createRandom();
      const wrong = file("wrong", "wrong horse battery");
      const halved = canary.privateKey.slice(0, 50);
      const keystore = keystoreOf(canary, "canary.json");
      const raw = file("raw.json", canary.privateKey);
      for (const [options, env] of [
        [{ keystore }, { CAREPACT_KEYSTORE_PASSWORD_FILE: wrong }],
        [{ keystore: raw }, environment],
        [{}, { CAREPACT_PRIVATE_KEY: halved }],
        [{}, { CAREPACT_PRIVATE_KEY: `${canary.privateKey}00` }],
        // An account without ether, and no allowance: the node and the token refuse.
        [{}, { CAREPACT_PRIVATE_KEY: canary.privateKey }],
      ] as [Record<string, string>, NodeJS.ProcessEnv][]) {
        hre.hardhatArguments.verbose = true;
        const ended = await command("pool:deposit", { ...at, token, amount: "1.00", ...options }, env).finally(() => {
          hre.hardhatArguments.verbose = false;
        });
        expect(ended.code).to.be.oneOf([1, 2]);
        for (const part of [halved.slice(2), bare(canary.privateKey).slice(0, 12), bare(canary.privateKey).slice(-12)])
          expect(said(ended)).not.to.include(part.toLowerCase());
        expect(said(ended)).not.to.include("wrong horse");
      }
    });

    it("is warned when others can read its keystore or password", async () => {
      const { at, token } = await loadFixture(deployedWorld);
      const keystore = keystoreOf(known, "shared.json");
      const open = file("open", PASSWORD);
      chmodSync(keystore, 0o644);
      chmodSync(open, 0o644);
      const { code, stderr } = await command(
        "pool:approve",
        { ...at, token, amount: "1.00", keystore },
        { CAREPACT_KEYSTORE_PASSWORD_FILE: open },
      );
      expect(code).to.equal(0);
      for (const shared of [keystore, open]) expect(stderr).to.include(`others on this machine can read ${shared}`);
    });
  });

  describe("the key that opens sealed parts", () => {
    it("comes from a keystore as well, and is refused when it is of another kind, or was changed", async () => {
      const { at, batch, rulebook, token, address } = await loadFixture(fundedWorld);
      const sealing = path("c.sealing.json");
      await command("keys:new", { sealing }, environment);
      const options = { ...at, file: batch, payee: address(accounts.pharmacy), rulebooks: rulebook, tokens: token };
      const check = (sealingKeystore: string): Promise<Ended> =>
        command("batch:check", { ...options, finality: "latest", sealingKeystore }, environment);
      // Sealed to another key than this new one.
      expect((await check(sealing)).json.reason).to.include({ code: "SEALED_UNREADABLE" });
      expect((await check(keystoreOf(known))).stderr).to.include("no keystore of a sealing key");
      const text = readFileSync(sealing, "utf8");
      const { publicKey } = JSON.parse(text) as { publicKey: string };
      const changed = file("changed.json", text.replace(publicKey, `0x09${"00".repeat(31)}`));
      expect((await check(changed)).stderr).to.include("the file was changed");
      const signing = await command("pool:approve", { ...at, token, amount: "1.00", keystore: sealing }, environment);
      expect(signing.stderr).to.include("holds a sealing key");
    });
  });

  it("from the environment are kept out without the spaces around them", async () => {
    const { privateKey } = Wallet.createRandom();
    process.env["CAREPACT_SEALING_KEY"] = ` ${privateKey}\n`;
    const opening = sealingKeyOf({} as Call, undefined);
    delete process.env["CAREPACT_SEALING_KEY"];
    expect(await opening).to.equal(privateKey);
    expect(redacted(`no ${bare(privateKey)}`)).to.equal("no [secret]");
  });

  describe("a password at the terminal", () => {
    it("is read without being shown", async () => {
      const terminal = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => terminal });
      const screen = new PassThrough();
      const asked = askHidden("Password: ", terminal, screen);
      terminal.write(`${PASSWORD}\r`);
      expect(await asked).to.equal(PASSWORD);
      expect(String(screen.read())).to.equal("Password: \n");
    });

    it("is not waited for when the terminal is gone", async () => {
      const terminal = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => terminal });
      const asked = askHidden("Password: ", terminal, new PassThrough());
      terminal.end();
      const refused = await asked.then(
        () => "given",
        (thrown: Error) => thrown.message,
      );
      expect(refused).to.equal("No password was given.");
    });
  });

  it("stay out of whatever a library says of them", () => {
    const { privateKey } = Wallet.createRandom();
    keepSecret(privateKey);
    const text = `invalid ${privateKey.toUpperCase()}, or ${bare(privateKey)}!`;
    expect(redacted(text)).to.equal("invalid [secret], or [secret]!").and.not.to.include(bare(privateKey));
  });

  it("are taken out in one pass, whatever they are made of, and whatever stands around them", () => {
    for (const secret of ["[secret]", "a.b*c(d)$", "İİİİİ of Oz", "longer than [secret]"]) keepSecret(secret);
    expect(redacted("[secret] and [SECRET], a.b*c(d)$")).to.equal("[secret] and [secret], [secret]");
    expect(redacted("aXbbcd")).to.equal("aXbbcd");
    expect(redacted("before İİİİİ of Oz after")).to.equal("before [secret] after");
    expect(redacted("longer than [secret]!")).to.equal("[secret]!");
  });

  it("leave data whole of which a password is part", async () => {
    const digits = "00000000";
    keepSecret(digits);
    const calldata = `0x4f1ef286${"0".repeat(63)}1`;
    for (const text of [calldata, "100000000 wei", "1.00000000 ether", "00000000.50"])
      expect(redacted(text)).to.equal(text);
    expect(redacted(`wrong password ${digits}.`)).to.equal("wrong password [secret].");
    const { privateKey } = Wallet.createRandom();
    keepSecret(privateKey);
    const json = {
      calldata,
      gas: 1_000_000_000,
      id: digits,
      said: `no ${digits}`,
      quoted: `no ${privateKey}`,
      key: privateKey,
    };
    const { stdout } = await captured({}, () =>
      finish(hre, { json: true }, () => Promise.resolve({ lines: [], json })),
    );
    expect(lastLine(stdout)).to.deep.equal({
      ok: true,
      ...json,
      said: "no [secret]",
      quoted: "no [secret]",
      key: "[secret]",
    });
  });
});
