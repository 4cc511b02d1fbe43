import { expect } from "chai";
import { getAddress, id, toBeHex } from "ethers";
import fc from "fast-check";

import { categoryBits, categoryMask, purposeMask } from "../../sdk/src/codes";
import {
  makeRestrictions,
  mandateFileOf,
  openMandateFile,
  openRestrictions,
  openSealedGrant,
  openSealedRestrictions,
  openSignedGrant,
  parseMandateFile,
  parseRestrictions,
  parseSealedGrant,
  parseSealedRestrictions,
  parseSignedGrant,
  restrictionsFileOf,
  sealGrant,
  sealRestrictions,
  signedGrantOf,
  signedGrantText,
  NO_MANDATE,
  type GrantChain,
  type SignedGrant,
} from "../../sdk/src/consents/file";
import { instrumentOf, restrictionsHashOf, restrictionsOf } from "../../sdk/src/consents/grants";
import { decide } from "../../sdk/src/consents/terms";
import {
  grantDigestOf,
  NO_INSTRUMENT,
  requireSignedMandate,
  subGrantDigestOf,
  type Grant,
  type SubGrant,
} from "../../sdk/src/consents/types";
import { generateSealingKeys, type SealingKeyPair } from "../../sdk/src/encryption";
import { isCarepactError, type ErrorCode } from "../../sdk/src/errors";
import { SEED } from "../support/arbitraries";

import { pathsOf, withElements } from "./hl7";
import { refused, refusedAsync } from "./refused";

const account = (name: string): string => getAddress(`0x${id(name).slice(-40)}`);
/** The same address with the case of one letter changed, which breaks its checksum. */
const withOtherCase = (address: string): string =>
  address.replace(/(?<=^0x\d*)[a-fA-F]/, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );
const ref = { chainId: 31337, registry: account("registry") };
const SIGNATURE = `0x${"5a".repeat(65)}`;

const grant: Grant = {
  patient: id("patient"),
  number: 7,
  grantee: account("clinic"),
  purposes: purposeMask("TREAT"),
  categories: categoryMask(["Observation", "HIV"]),
  ceiling: 4,
  notBefore: 1_767_225_600,
  expiry: 1_767_830_400,
  subGrants: 2,
  epoch: 3,
  salt: id("salt"),
  instrument: NO_INSTRUMENT,
};
const subGrant: SubGrant = {
  parent: grantDigestOf(grant, ref),
  grantee: account("specialist"),
  purposes: purposeMask("ETREAT"),
  categories: categoryMask(["Observation"]),
  ceiling: 3,
  notBefore: grant.notBefore,
  expiry: grant.expiry,
  subGrants: 0,
  salt: id("another salt"),
};
const chain: GrantChain = {
  grant,
  signer: account("patient").toLowerCase(),
  signature: SIGNATURE,
  mandate: {
    mandate: {
      patient: grant.patient,
      representative: id("representative"),
      custodian: account("hospital"),
      purposes: grant.purposes,
      categories: grant.categories,
      notBefore: 0,
      end: 2 ** 40 - 1,
      epoch: 3,
      salt: id("salt of a mandate"),
    },
    signer: `${account("verifier").toLowerCase()}${"77".repeat(64)}`,
    signature: "0x1234",
  },
  subGrants: [{ subGrant, signature: SIGNATURE }],
};

/** With everything that a file can have. */
const consent = { resourceType: "Consent", id: "x" };
const whole: SignedGrant = signedGrantOf(
  {
    ...chain,
    grant: { ...grant, instrument: instrumentOf(grant.salt, consent) },
    subGrants: [
      {
        subGrant: {
          ...subGrant,
          parent: grantDigestOf({ ...grant, instrument: instrumentOf(grant.salt, consent) }, ref),
        },
        signature: SIGNATURE,
      },
    ],
  },
  ref,
  consent,
);
const text = signedGrantText(whole);

describe("signed grant", () => {
  it("is a file out of which the very same chain comes", () => {
    const file = signedGrantOf(chain, ref);
    expect(parseSignedGrant(signedGrantText(file))).to.deep.equal(file);
    const opened = openSignedGrant(file);
    expect(opened.chain).to.deep.equal(chain);
    expect(opened.documents).to.deep.equal([grantDigestOf(grant, ref), subGrantDigestOf(subGrant, ref)]);
    expect(opened.last).to.deep.equal(subGrant);
    expect(opened).to.deep.include(ref);
  });

  it("has no mandate where the patient signed", () => {
    const file = signedGrantOf({ ...chain, mandate: NO_MANDATE, subGrants: [] }, ref);
    expect(file).not.to.have.property("mandate");
    expect(openSignedGrant(file).chain.mandate).to.deep.equal(NO_MANDATE);
    expect(openSignedGrant(file).last).to.deep.equal(grant);
  });

  it("keeps bit sets that no codes of this version make up", () => {
    const bits = { purposes: 1n << 255n, categories: 1n | (1n << 254n) };
    const file = signedGrantOf({ ...chain, grant: { ...grant, ...bits }, subGrants: [] }, ref);
    expect(file.grant.purposes).to.equal(toBeHex(bits.purposes, 32));
    expect(openSignedGrant(file).chain.grant).to.deep.include(bits);
  });

  it("has one text, whatever the order of its names", () => {
    const turned = Object.fromEntries(Object.entries(whole).reverse()) as unknown as SignedGrant;
    expect(signedGrantText(turned)).to.equal(text);
  });

  const wrong: [string, Record<string, unknown>, ErrorCode, string][] = [
    ["of another kind", { carepact: "claim-batch" }, "FILE_WRONG_DOCUMENT", "$.carepact"],
    ["without a kind", { carepact: undefined }, "FILE_WRONG_DOCUMENT", "$.carepact"],
    ["of a later version", { version: 2 }, "FILE_VERSION_UNSUPPORTED", "$.version"],
    ["of no version", { version: "1" }, "FILE_MALFORMED", "$.version"],
    ["with something more", { extra: 1 }, "FILE_MALFORMED", "$"],
    ["with something more in its grant", { "grant.extra": 1 }, "FILE_MALFORMED", "$.grant"],
    ["without a signature", { signature: undefined }, "FILE_MALFORMED", "$"],
    ["with half a byte of signature", { signature: "0x123" }, "FILE_MALFORMED", "$.signature"],
    ["with a signature of megabytes", { signature: `0x${"00".repeat(20_000)}` }, "FILE_MALFORMED", "$.signature"],
    ["with a signer shorter than an account", { signer: "0x12" }, "FILE_MALFORMED", "$.signer"],
    ["with a signer of 2 KiB", { signer: `0x${"11".repeat(2048)}` }, "FILE_MALFORMED", "$.signer"],
    ["on no chain", { chainId: 0 }, "FILE_MALFORMED", "$.chainId"],
    ["for registry zero", { registry: `0x${"00".repeat(20)}` }, "FILE_MALFORMED", "$.registry"],
    ["with a checksum that is wrong", { registry: withOtherCase(ref.registry) }, "FILE_MALFORMED", "$.registry"],
    ["with purposes as a number", { "grant.purposes": 1 }, "FILE_MALFORMED", "$.grant.purposes"],
    ["with purposes by name", { "grant.purposes": ["TREAT"] }, "FILE_MALFORMED", "$.grant.purposes"],
    ["without a purpose", { "grant.purposes": toBeHex(0, 32) }, "FILE_MALFORMED", "$.grant.purposes"],
    [
      "with labels only",
      { "grant.categories": toBeHex(categoryMask(["HIV"]), 32) },
      "FILE_MALFORMED",
      "$.grant.categories",
    ],
    ["with a ceiling above V", { "grant.ceiling": 6 }, "FILE_MALFORMED", "$.grant.ceiling"],
    ["that ends before it begins", { "grant.expiry": 5 }, "FILE_MALFORMED", "$.grant.expiry"],
    ["with a number beyond 32 bits", { "grant.number": 2 ** 32 }, "FILE_MALFORMED", "$.grant.number"],
    ["with an epoch below zero", { "grant.epoch": -1 }, "FILE_MALFORMED", "$.grant.epoch"],
    ["to nobody", { "grant.grantee": `0x${"00".repeat(20)}` }, "FILE_MALFORMED", "$.grant.grantee"],
    ["with a mandate without end", { "mandate.mandate.end": undefined }, "FILE_MALFORMED", "$.mandate.mandate"],
    ["with a mandate that ends before", { "mandate.mandate.end": 0 }, "FILE_MALFORMED", "$.mandate.mandate.end"],
    [
      "passed on to nobody",
      { "subGrants[0].subGrant.grantee": `0x${"00".repeat(20)}` },
      "FILE_MALFORMED",
      "$.subGrants[0].subGrant.grantee",
    ],
    ["passed on seventeen times", { subGrants: Array(17).fill(whole.subGrants[0]) }, "FILE_MALFORMED", "$.subGrants"],
    ["with another consent than it names", { "consent.id": "y" }, "FILE_TAMPERED", "$.consent"],
    ["with a consent although it names none", { "grant.instrument": NO_INSTRUMENT }, "FILE_TAMPERED", "$.consent"],
  ];
  for (const [what, changes, code, path] of wrong)
    it(`is refused ${what}`, () => {
      const error = refused(code, () => parseSignedGrant(JSON.stringify(withElements(whole, changes))));
      expect(error.details.path).to.equal(path);
    });

  it("is refused beyond its size, cut short, or as something else than text", () => {
    expect(refused("FILE_TOO_BIG", () => parseSignedGrant(text + " ".repeat(1024 * 1024))).details).to.deep.equal({
      maxBytes: 1024 * 1024,
    });
    refused("FILE_TOO_BIG", () => parseSignedGrant(text, { maxBytes: text.length - 1 }));
    expect(parseSignedGrant(text, { maxBytes: text.length })).to.deep.equal(whole);
    refused("FILE_MALFORMED", () => parseSignedGrant(text.slice(0, -1)));
    refused("FILE_MALFORMED", () => parseSignedGrant(undefined as never));
    for (const value of [null, 1, "grant", [], [whole]])
      refused("FILE_MALFORMED", () => openSignedGrant(value as never));
    for (const name of ["carepact", "grant"]) {
      const trap = Object.defineProperty({ ...whole }, name, {
        enumerable: true,
        get: () => {
          throw new TypeError("Do not look at me.");
        },
      });
      refused("FILE_MALFORMED", () => openSignedGrant(trap));
    }
  });

  it("is read from anything at all, or refused with a CarepactError", () => {
    const paths = pathsOf(whole);
    const hostile = fc.oneof(
      fc.anything(),
      fc.tuple(fc.constantFrom(...paths), fc.anything()).map(([path, value]) => withElements(whole, { [path]: value })),
      fc.dictionary(fc.constantFrom(...Object.keys(whole)), fc.anything()).map((changes) => ({ ...whole, ...changes })),
    );
    fc.assert(
      fc.property(hostile, (value) => {
        try {
          openSignedGrant(value as SignedGrant);
        } catch (error) {
          expect(isCarepactError(error), String(error)).to.equal(true);
          JSON.stringify(error);
        }
      }),
      { numRuns: 1_000, seed: SEED },
    );
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ maxLength: 3 }), (at, put) => {
        try {
          parseSignedGrant(text.slice(0, at) + put + text.slice(at + put.length));
        } catch (error) {
          expect(isCarepactError(error), String(error)).to.equal(true);
        }
      }),
      { numRuns: 500, seed: SEED },
    );
  });

  it("shares nothing with what it was made of", () => {
    const source = { resourceType: "Consent", id: "x" };
    const named = { ...grant, instrument: instrumentOf(grant.salt, source) };
    const file = signedGrantOf({ ...chain, grant: named, subGrants: [] }, ref, source);
    source.id = "changed";
    expect(file.consent).to.deep.equal({ resourceType: "Consent", id: "x" });
  });
});

describe("sealed grant", () => {
  let keys: SealingKeyPair;
  before(async () => {
    keys = await generateSealingKeys();
  });

  it("opens for its grantee alone, who may be the last of several", async () => {
    const sealed = await sealGrant(whole, { publicKey: keys.publicKey, version: 3 });
    expect(sealed).to.deep.include({ organization: subGrant.grantee, hpkeKeyVersion: 3 });
    expect(await openSealedGrant(parseSealedGrant(JSON.stringify(sealed)), keys.privateKey)).to.deep.equal(whole);
    const other = await generateSealingKeys();
    await refusedAsync("SEALED_UNREADABLE", openSealedGrant(sealed, other.privateKey));
  });

  it("shows neither how much was granted nor whether it was passed on", async () => {
    const short = signedGrantOf({ ...chain, mandate: NO_MANDATE, subGrants: [] }, ref);
    const to = { publicKey: keys.publicKey, version: 1 };
    const [one, two] = [await sealGrant(short, to), await sealGrant(whole, to)];
    expect(one.ciphertext.length).to.equal(two.ciphertext.length);
  });

  it("is refused for another grantee, changed, or malformed", async () => {
    const sealed = await sealGrant(whole, { publicKey: keys.publicKey, version: 1 });
    const open = (changes: object) => openSealedGrant({ ...sealed, ...changes }, keys.privateKey);
    await refusedAsync("SEALED_UNREADABLE", open({ organization: grant.grantee }));
    await refusedAsync("SEALED_UNREADABLE", open({ enc: sealed.enc.replace(/..$/, "00") }));
    await refusedAsync("FILE_MALFORMED", open({ ciphertext: "????" }));
    await refusedAsync("FILE_MALFORMED", open({ organization: `0x${"00".repeat(20)}` }));
    await refusedAsync("FILE_MALFORMED", open({ hpkeKeyVersion: 0 }));
    await refusedAsync("FILE_WRONG_DOCUMENT", open({ carepact: "grant" }));
    await refusedAsync("KEY_INVALID", openSealedGrant(sealed, "0x12"));
    await refusedAsync(
      "SEALED_UNREADABLE",
      openSealedRestrictions({ ...sealed, carepact: "sealed-restrictions" }, keys.privateKey),
    );
    refused("FILE_MALFORMED", () => parseSealedGrant("{"));
    await refusedAsync("KEY_INVALID", sealGrant(whole, { publicKey: "0x12", version: 1 }));
  });
});

describe("file of a mandate", () => {
  const file = mandateFileOf(chain.mandate, ref);

  it("comes back as it was signed", () => {
    expect(openMandateFile(parseMandateFile(JSON.stringify(file)))).to.deep.equal({ ...ref, ...chain.mandate });
  });

  it("is refused malformed, and never crashes", () => {
    const wrong: [Record<string, unknown>, ErrorCode, string][] = [
      [{ carepact: "grant" }, "FILE_WRONG_DOCUMENT", "$.carepact"],
      [{ version: 2 }, "FILE_VERSION_UNSUPPORTED", "$.version"],
      [{ registry: `0x${"00".repeat(20)}` }, "FILE_MALFORMED", "$.registry"],
      [{ signer: "0x" }, "FILE_MALFORMED", "$.signer"],
      [{ "mandate.end": 0 }, "FILE_MALFORMED", "$.mandate.end"],
      [{ "mandate.purposes": toBeHex(0, 32) }, "FILE_MALFORMED", "$.mandate.purposes"],
    ];
    for (const [changes, code, path] of wrong)
      expect(refused(code, () => parseMandateFile(JSON.stringify(withElements(file, changes)))).details.path).to.equal(
        path,
      );
    fc.assert(
      fc.property(fc.constantFrom(...pathsOf(file)), fc.anything(), (path, value) => {
        try {
          openMandateFile(withElements(file, { [path]: value }));
        } catch (error) {
          expect(isCarepactError(error), String(error)).to.equal(true);
        }
      }),
      { numRuns: 300, seed: SEED },
    );
  });

  it("is made of a signed mandate only", () => {
    const { mandate } = chain;
    for (const [changes, path] of [
      [{ signer: "0x12" }, "$.signer"],
      [{ signer: 5 }, "$.signer"],
      [{ signature: "0x123" }, "$.signature"],
      [{ mandate: { ...mandate.mandate, end: 0 } }, "$.end"],
      [{ mandate: undefined }, "$"],
    ] as const) {
      const error = refused("MANDATE_MALFORMED", () => requireSignedMandate({ ...mandate, ...changes } as never));
      expect(error.details.path).to.equal(path);
    }
    refused("MANDATE_MALFORMED", () => requireSignedMandate(null as never));
  });
});

describe("document of restrictions", () => {
  it("is sealed for an organization", async () => {
    const keys = await generateSealingKeys();
    const file = restrictionsFileOf(makeRestrictions({ categories: ["HIV"] }), { ...ref, patient: grant.patient });
    const sealed = await sealRestrictions(file, account("clinic"), { publicKey: keys.publicKey, version: 2 });
    const read = parseSealedRestrictions(JSON.stringify(sealed));
    expect(read).to.deep.include({ organization: account("clinic"), hpkeKeyVersion: 2 });
    expect(await openSealedRestrictions(read, keys.privateKey)).to.deep.equal(file);
    const elsewhere = { ...read, organization: account("specialist") };
    await refusedAsync("SEALED_UNREADABLE", openSealedRestrictions(elsewhere, keys.privateKey));
    await refusedAsync("FILE_WRONG_DOCUMENT", openSealedGrant(read as never, keys.privateKey));
  });

  const where = { ...ref, patient: grant.patient };

  it("says by codes what the registry compares by bits", () => {
    const made = makeRestrictions({
      organizations: [account("b"), account("a"), account("a")],
      purposes: ["HMARKT"],
      categories: ["Consent", "HIV"],
      breakGlass: true,
      random: (length) => new Uint8Array(length).fill(7),
    });
    expect(made).to.deep.equal({
      // No Consent stands behind them.
      salt: `0x${"00".repeat(8)}${"07".repeat(24)}`,
      organizations: [account("a"), account("b")].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1)),
      purposes: purposeMask("HMARKT"),
      // With the labels above HIV, which may stand for it.
      categories:
        categoryMask(["Consent", "HIV"]) |
        categoryBits(["_ActInformationSensitivityPolicy", "_InformationSensitivityPolicy"]),
      breakGlass: true,
    });
    expect(makeRestrictions({})).to.deep.include({
      organizations: [],
      purposes: 0n,
      categories: 0n,
      breakGlass: false,
    });
    expect(makeRestrictions({}).salt).not.to.equal(makeRestrictions({}).salt);
    refused("IDENTIFIER_INVALID", () => makeRestrictions({ organizations: ["clinic"] }));
    refused("CODE_UNKNOWN", () => makeRestrictions({ purposes: ["NOTHING" as never] }));
  });

  it("comes back out of its file with the same hash", () => {
    const made = makeRestrictions({ organizations: [account("a")], categories: ["HIV"] });
    const file = restrictionsFileOf(made, where);
    const opened = openRestrictions(parseRestrictions(JSON.stringify(file)));
    expect(opened).to.deep.equal({ ...ref, patient: grant.patient, restrictions: made });
    expect(restrictionsHashOf(opened.restrictions)).to.equal(restrictionsHashOf(made));
  });

  const terms = {
    onlyByGrant: false,
    permits: [],
    denials: [{ scope: { custodians: [account("hospital")] }, except: [] }],
    breakGlass: [],
  };
  const salt = id("salt of a consent");

  it("carries a consent's denials, for who releases data", () => {
    const { restrictions } = restrictionsOf(terms, salt);
    const file = restrictionsFileOf(restrictions, where, { terms, salt });
    const { denials } = openRestrictions(parseRestrictions(JSON.stringify(file)));
    const request = {
      recipient: account("clinic"),
      purpose: "TREAT",
      at: 5,
      action: "access",
      resourceType: "Observation",
      sensitivities: [],
      confidentiality: "N",
    } as const;
    expect(decide(denials!, { ...request, sensitivities: [], custodian: account("hospital") })).to.equal("denied");
    expect(decide(denials!, { ...request, sensitivities: [], custodian: account("clinic") })).to.equal("open");
  });

  it("is refused with denials that its salt does not commit to", () => {
    const { restrictions } = restrictionsOf(terms, salt);
    const file = restrictionsFileOf(restrictions, where, { terms, salt });
    for (const changes of [{ "denials.denials": [] }, { "denials.salt": id("x") }, { "denials.onlyByGrant": true }])
      expect(refused("FILE_TAMPERED", () => openRestrictions(withElements(file, changes))).details.path).to.equal(
        "$.denials",
      );
    refused("FILE_TAMPERED", () => restrictionsFileOf(makeRestrictions({}), where, { terms, salt }));
  });

  it("is refused malformed, and never crashes", () => {
    const file = restrictionsFileOf(makeRestrictions({ organizations: [account("a")] }), where);
    const wrong: [Record<string, unknown>, ErrorCode][] = [
      [{ carepact: "grant" }, "FILE_WRONG_DOCUMENT"],
      [{ version: 9 }, "FILE_VERSION_UNSUPPORTED"],
      [{ patient: "0x12" }, "FILE_MALFORMED"],
      [{ "restrictions.salt": "0x" }, "FILE_MALFORMED"],
      [{ "restrictions.organizations": Array(257).fill(account("a")) }, "FILE_MALFORMED"],
      [{ "restrictions.organizations": ["0x12"] }, "FILE_MALFORMED"],
      [{ "restrictions.breakGlass": "yes" }, "FILE_MALFORMED"],
      [{ "restrictions.purposes": "1" }, "FILE_MALFORMED"],
    ];
    for (const [changes, code] of wrong)
      refused(code, () => parseRestrictions(JSON.stringify(withElements(file, changes))));
    const paths = pathsOf(file);
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.anything(), (path, value) => {
        try {
          openRestrictions(withElements(file, { [path]: value }));
        } catch (error) {
          expect(isCarepactError(error), String(error)).to.equal(true);
        }
      }),
      { numRuns: 500, seed: SEED },
    );
  });
});
