import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";
import {
  AbiCoder,
  TypedDataEncoder,
  Wallet,
  concat,
  id,
  keccak256,
  toBeHex,
  toUtf8Bytes,
  verifyTypedData,
} from "ethers";
import fc from "fast-check";
import type { Consent } from "fhir/r4";

import {
  anyPurpose,
  anyResourceType,
  anySensitivity,
  categoryBits,
  categoryMask,
  purposeBit,
  purposeCodes,
  purposeMask,
  resourceTypeCodes,
  sensitivityCodes,
  type CategoryCode,
  type SensitivityCode,
} from "../../sdk/src/codes";
import { sensitivities } from "../../sdk/src/codes/tables/sensitivities";
import {
  grantsOf,
  instrumentOf,
  needsInstrument,
  restrictionsHashOf,
  restrictionsOf,
  termsOfGrant,
} from "../../sdk/src/consents/grants";
import { decide, normalTerms, sameTerms, type ConsentTerms } from "../../sdk/src/consents/terms";
import {
  consentTypes,
  grantDigestOf,
  grantFromJson,
  grantHashOf,
  grantToJson,
  NO_EXPIRY,
  NO_INSTRUMENT,
  registryDomain,
  type Grant,
} from "../../sdk/src/consents/types";
import { isCarepactError } from "../../sdk/src/errors";
import { readConsent } from "../../sdk/src/fhir/consent";
import { writeConsent } from "../../sdk/src/fhir/consentWrite";
import { SEED } from "../support/arbitraries";
import { accountOf, consents, referenceOf, requests } from "../support/consentArbitraries";

import { hl7, withElements } from "./hl7";
import { refused } from "./refused";

const f001 = accountOf("Organization/f001");
const f002 = accountOf("Organization/f002");
const ref = { chainId: 31337, registry: "0x1111111111111111111111111111111111111111" };
const word = (text: string): string => id(text);

const grant: Grant = {
  patient: word("patient"),
  number: 7,
  grantee: f001,
  purposes: purposeMask("TREAT"),
  categories: categoryMask(["Observation", "DiagnosticReport", "SUD"]),
  ceiling: 4,
  notBefore: 1_767_225_600,
  expiry: 1_767_830_400,
  subGrants: 0,
  epoch: 3,
  salt: word("salt"),
  instrument: NO_INSTRUMENT,
};

const json = {
  patient: grant.patient,
  number: 7,
  grantee: f001,
  purposes: ["TREAT"],
  categories: ["DiagnosticReport", "Observation", "SUD"],
  ceiling: "R",
  notBefore: 1_767_225_600,
  expiry: 1_767_830_400,
  subGrants: 0,
  epoch: 3,
  salt: grant.salt,
  instrument: NO_INSTRUMENT,
};

const grants: fc.Arbitrary<Grant> = fc
  .record({
    purposes: fc.uniqueArray(fc.constantFrom(...purposeCodes()), { minLength: 1, maxLength: 5 }),
    types: fc.uniqueArray(fc.constantFrom(...resourceTypeCodes()), { minLength: 1, maxLength: 5 }),
    labels: fc.uniqueArray(fc.constantFrom(...sensitivityCodes()), { maxLength: 5 }),
    ceiling: fc.integer({ min: 0, max: 5 }),
    notBefore: fc.nat({ max: 2_000_000_000 }),
    length: fc.integer({ min: 1, max: 1_000_000_000 }),
    endless: fc.boolean(),
    number: fc.nat({ max: 2 ** 32 - 1 }),
    epoch: fc.maxSafeNat().map((n) => n % 2 ** 48),
  })
  .map(({ purposes, types, labels, notBefore, length, endless, ...rest }) => ({
    ...grant,
    ...rest,
    purposes: purposes.reduce((sum, code) => sum | purposeMask(code), 0n),
    categories: categoryMask([...types, ...labels]),
    notBefore,
    expiry: endless ? NO_EXPIRY : notBefore + length,
  }));

/** Whether all labels right below one that a grant leaves out are granted: FHIR cannot say that. */
const leavesOutTheGeneral = ({ categories }: Grant): boolean =>
  sensitivities.some(({ code }) => {
    const below = sensitivities.filter((entry) => "parent" in entry && entry.parent === code);
    const inside = (label: SensitivityCode): boolean => (categories & categoryBits([label])) !== 0n;
    return below.length > 0 && !inside(code) && below.every((entry) => inside(entry.code));
  });

describe("grant", () => {
  it("is signed under EIP-712 in the registry's domain, and hashed the same on every chain", async () => {
    const type =
      "Grant(bytes32 patient,uint32 number,address grantee,uint256 purposes,uint256 categories,uint8 ceiling," +
      "uint40 notBefore,uint40 expiry,uint8 subGrants,uint48 epoch,bytes32 salt,bytes32 instrument)";
    expect(TypedDataEncoder.from({ Grant: consentTypes.Grant }).encodeType("Grant")).to.equal(type);
    const contract = readFileSync(join(__dirname, "../../contracts/consent/ConsentTypeHashes.sol"), "utf8");
    expect(contract).to.contain(`"${type}"`);
    const fields = consentTypes.Grant.map(({ name }) => grant[name as keyof Grant]);
    const encoded = AbiCoder.defaultAbiCoder().encode(
      ["bytes32", ...consentTypes.Grant.map(({ type }) => type)],
      [keccak256(toUtf8Bytes(type)), ...fields],
    );
    expect(grantHashOf(grant)).to.equal(keccak256(encoded));

    const wallet = Wallet.createRandom();
    const domain = registryDomain(ref);
    const types = { Grant: consentTypes.Grant };
    expect(domain).to.include({ name: "Carepact ConsentRegistry", version: "1" });
    const signature = await wallet.signTypedData(domain, types, grant);
    expect(verifyTypedData(domain, types, grant, signature)).to.equal(wallet.address);
    expect(grantDigestOf(grant, ref)).to.equal(TypedDataEncoder.hash(domain, types, grant));
    expect(grantDigestOf(grant, ref)).not.to.equal(grantDigestOf(grant, { ...ref, chainId: 1 }));
  });

  it("is plain JSON with codes by name, and back", () => {
    expect(grantToJson(grant)).to.deep.equal(json);
    expect(grantFromJson(JSON.parse(JSON.stringify(json)))).to.deep.equal(grant);
    fc.assert(
      fc.property(grants, (any) => {
        expect(grantFromJson(JSON.parse(JSON.stringify(grantToJson(any))))).to.deep.equal(any);
      }),
      { numRuns: 200, seed: SEED },
    );
  });

  it("names everything by the root of a list, codes to come included", () => {
    const all = { ...grant, purposes: anyPurpose, categories: anyResourceType | anySensitivity };
    expect(grantToJson(all)).to.deep.include({
      purposes: ["PurposeOfUse"],
      categories: ["Resource", "_InformationSensitivityPolicy"],
    });
  });

  const malformed: [string, Partial<Grant>, keyof Grant][] = [
    ["a patient that is no word", { patient: "0x12" }, "patient"],
    ["a number beyond 32 bits", { number: 2 ** 32 }, "number"],
    ["a number below zero", { number: -1 }, "number"],
    ["nobody as grantee", { grantee: `0x${"00".repeat(20)}` }, "grantee"],
    ["a grantee that is no address", { grantee: "f001" }, "grantee"],
    ["no purpose", { purposes: 0n }, "purposes"],
    ["purposes that are no bigint", { purposes: 1 as never }, "purposes"],
    ["purposes beyond 256 bits", { purposes: 1n << 256n }, "purposes"],
    ["no resource type", { categories: categoryMask(["HIV"]) }, "categories"],
    ["a ceiling above V", { ceiling: 6 }, "ceiling"],
    ["a ceiling between degrees", { ceiling: 1.5 }, "ceiling"],
    ["an end before it begins", { expiry: grant.notBefore }, "expiry"],
    ["an end beyond 40 bits", { expiry: 2 ** 40 }, "expiry"],
    ["an epoch beyond 48 bits", { epoch: 2 ** 48 }, "epoch"],
    ["a salt that is none", { salt: "" }, "salt"],
    ["an instrument that is none", { instrument: "0x" }, "instrument"],
  ];
  for (const [what, change, field] of malformed)
    it(`is refused with ${what}`, () => {
      const error = refused("GRANT_MALFORMED", () => grantHashOf({ ...grant, ...change }));
      expect(error.details.path).to.equal(`$.${field}`);
    });

  it("is refused in JSON that its schema does not fit, or with codes that there are not", () => {
    const change = (changes: Record<string, unknown>): unknown => withElements(json, changes);
    const wrong: [Record<string, unknown>, string][] = [
      [{ purposes: "TREAT" }, "$.purposes"],
      [{ purposes: [] }, "$.purposes"],
      [{ "purposes[0]": 3 }, "$.purposes[0]"],
      [{ number: "7" }, "$.number"],
      [{ expiry: 1.5 }, "$.expiry"],
      [{ ceiling: "X" }, "$.ceiling"],
      [{ grantee: "0x00" }, "$.grantee"],
      [{ extra: 1 }, "$"],
      [{ salt: undefined }, "$"],
      [{ expiry: 0 }, "$.expiry"],
    ];
    for (const [changes, path] of wrong)
      expect(refused("GRANT_MALFORMED", () => grantFromJson(change(changes))).details.path).to.equal(path);
    for (const code of ["treat", "constructor", "__proto__"]) {
      const error = refused("CODE_UNKNOWN", () => grantFromJson(change({ "purposes[0]": code })));
      expect(error.details.path).to.equal("$.purposes");
      refused("CODE_UNKNOWN", () => grantFromJson(change({ "categories[1]": code })));
    }
    refused("CODE_UNKNOWN", () => grantToJson({ ...grant, purposes: purposeBit("TREAT") }));
  });

  it("is read from anything at all, or refused with a CarepactError", () => {
    const hostile = fc.oneof(
      fc.anything(),
      fc.dictionary(fc.constantFrom(...Object.keys(json)), fc.anything()).map((changes) => ({ ...json, ...changes })),
    );
    fc.assert(
      fc.property(hostile, (value) => {
        try {
          grantFromJson(value);
        } catch (error) {
          expect(isCarepactError(error), String(error)).to.equal(true);
        }
      }),
      { numRuns: 500, seed: SEED },
    );
  });
});

describe("grant and FHIR Consent", () => {
  const about = {
    patient: { reference: "Patient/example" },
    category: [{ coding: [{ system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code: "IDSCL" }] }],
  };
  const asConsent = (given: Grant): Consent => writeConsent(termsOfGrant(given), { referenceOf, about });

  it("say the same: a grant comes back from its consent bit by bit", () => {
    fc.assert(
      fc.property(
        grants.filter((given) => !leavesOutTheGeneral(given)),
        (given) => {
          const terms = readConsent(asConsent(given), { accountOf });
          expect(sameTerms(terms, termsOfGrant(given))).to.equal(true);
          const options = { patient: given.patient, epoch: given.epoch, firstNumber: given.number };
          const [back, ...more] = grantsOf(terms, options);
          expect(more).to.deep.equal([]);
          expect({ ...back, salt: given.salt }).to.deep.equal(given);
        },
      ),
      { numRuns: 200, seed: SEED },
    );
  });

  it("decide alike whatever is asked", () => {
    fc.assert(
      fc.property(
        grants.filter((given) => !leavesOutTheGeneral(given)),
        requests,
        (given, request) => {
          const bits = categoryBits([request.resourceType, ...request.sensitivities] as CategoryCode[]);
          const permitted =
            request.action === "access" &&
            request.recipient === given.grantee &&
            (purposeBit(request.purpose) & ~given.purposes) === 0n &&
            (bits & ~given.categories) === 0n &&
            "ULMNRV".indexOf(request.confidentiality) <= given.ceiling &&
            request.at >= given.notBefore &&
            request.at < given.expiry;
          expect(decide(termsOfGrant(given), request)).to.equal(permitted ? "permitted" : "denied");
        },
      ),
      { numRuns: 1_000, seed: SEED },
    );
  });

  it("are no match where the grant may be passed on, or names a document", () => {
    for (const [field, value] of [
      ["subGrants", 1],
      ["instrument", word("document")],
    ] as const) {
      const error = refused("CONSENT_NOT_EXPRESSIBLE", () => termsOfGrant({ ...grant, [field]: value }));
      expect(error.details.path).to.equal(`$.${field}`);
    }
  });

  it("are no match where all labels below one are granted, and that one is not", () => {
    const given = { ...grant, categories: categoryMask(["Observation", "ETHUD", "OPIOIDUD"]) };
    expect(leavesOutTheGeneral(given)).to.equal(true);
    expect(refused("CONSENT_NOT_EXPRESSIBLE", () => termsOfGrant(given)).details.path).to.equal("$.categories");
  });

  it("need the document where it says more than a grant can, and the grant then names it by a salted hash", () => {
    const source = hl7<Consent>("Consent-consent-example-grantor");
    const terms = readConsent(source, { accountOf, untypedRoot: "permits" });
    const options = { patient: grant.patient, epoch: 1, firstNumber: 0 };
    expect(terms.permits.map(needsInstrument)).to.deep.equal([true]);
    refused("INPUT_INVALID", () => grantsOf(terms, options));
    const [made] = grantsOf(terms, { ...options, consent: source, random: (length) => new Uint8Array(length).fill(5) });
    expect(made).to.deep.include({
      salt: `0x${"05".repeat(32)}`,
      instrument: instrumentOf(`0x${"05".repeat(32)}`, source),
      categories: anyResourceType | anySensitivity,
      purposes: anyPurpose,
      expiry: NO_EXPIRY,
    });
    expect(made?.instrument).not.to.equal(instrumentOf(word("another salt"), source));
  });

  it("are refused where a permit does not include access", () => {
    const terms: ConsentTerms = {
      onlyByGrant: true,
      permits: [{ recipients: [f001], actions: ["correct"] }],
      denials: [],
      breakGlass: [],
    };
    const error = refused("CONSENT_NOT_EXPRESSIBLE", () =>
      grantsOf(terms, { patient: grant.patient, epoch: 1, firstNumber: 0, consent: {} }),
    );
    expect(error.details.path).to.equal("$.permits[0].actions");
  });

  it("can leave labels out beside other rules only in consents of their own", () => {
    const without = { recipients: [f001], withoutSensitivities: ["HIV" as const], actions: ["access" as const] };
    const alone = { onlyByGrant: true, permits: [without], denials: [], breakGlass: [], about };
    expect(sameTerms(readConsent(writeConsent(alone, { referenceOf }), { accountOf }), alone)).to.equal(true);
    for (const other of [
      { ...alone, onlyByGrant: false },
      { ...alone, permits: [without, { recipients: [f002] }] },
      { ...alone, denials: [{ scope: { recipients: [f002] }, except: [] }] },
    ]) {
      const error = refused("CONSENT_NOT_EXPRESSIBLE", () => writeConsent(other, { referenceOf }));
      expect(error.details.path).to.match(/^\$\.permits\[\d\]\.withoutSensitivities$/);
    }
  });
});

describe("restrictions of a consent", () => {
  const salt = word("restrictions");
  const deny = (scope: object, except: object[] = []): { scope: object; except: object[] } => ({ scope, except });
  const terms = (denials: { scope: object; except: object[] }[], breakGlass: object[] = []): ConsentTerms =>
    normalTerms({ onlyByGrant: false, permits: [], denials, breakGlass });

  const above: CategoryCode[] = ["_ActInformationSensitivityPolicy", "_InformationSensitivityPolicy"];

  it("are what the registry can check; the rest is left to gateways, and committed to by the salt", () => {
    const { restrictions, leftToGateways } = restrictionsOf(
      terms([
        deny({ recipients: [f002, f001] }),
        deny({ purposes: ["HMARKT"] }),
        deny({ resourceTypes: ["Consent"] }),
        deny({ sensitivities: ["HIV"] }),
        deny({ custodians: [f001] }),
        deny({ recipients: [f001], from: 5 }),
        deny({ recipients: [f001], actions: ["correct"] }),
        deny({ purposes: ["TREAT"], resourceTypes: ["Patient"] }),
      ]),
      salt,
    );
    expect(restrictions).to.deep.include({
      organizations: [f001, f002].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1)),
      purposes: purposeMask("HMARKT"),
      // With the labels above HIV: a record that carries one of them may be about it.
      categories: categoryMask(["Consent", "HIV"]) | categoryBits(above),
      breakGlass: false,
    });
    expect(leftToGateways).to.have.lengthOf(4);
    const other = restrictionsOf(terms([deny({ custodians: [f002] })]), salt).restrictions;
    expect(other.salt).not.to.equal(restrictions.salt);
    expect(restrictionsOf(terms([deny({ custodians: [f002] })]), word("x")).restrictions.salt).not.to.equal(other.salt);
    refused("INPUT_INVALID", () => restrictionsOf(terms([]), "0x12"));
  });

  it("are hashed as the registry hashes them", () => {
    const { restrictions } = restrictionsOf(terms([deny({ recipients: [f001] })]), salt);
    const words = [32n, restrictions.salt, 160n, 0n, 0n, 0n, 1n, f001].map((word) => toBeHex(word, 32));
    expect(restrictionsHashOf(restrictions)).to.equal(keccak256(concat(words)));
  });

  it("refuse every purpose where everything is denied", () => {
    expect(restrictionsOf(terms([deny({})]), salt).restrictions.purposes).to.equal(anyPurpose);
    expect(restrictionsOf(terms([deny({ actions: ["access"] })]), salt).restrictions.purposes).to.equal(anyPurpose);
  });

  it("may be overridden in an emergency only if each of them says so", () => {
    const excepted = { recipients: [f001], purposes: ["BTG"] };
    const one = deny({ recipients: [f001] }, [excepted]);
    const never = deny({ resourceTypes: ["Consent"] });
    const open = restrictionsOf(terms([one], [excepted]), salt);
    expect(open.restrictions).to.deep.include({ organizations: [f001], breakGlass: true });
    expect(open.leftToGateways).to.deep.equal([]);

    const both = restrictionsOf(terms([one, never], [excepted]), salt);
    expect(both.restrictions).to.deep.include({
      organizations: [],
      categories: categoryMask(["Consent"]),
      breakGlass: false,
    });
    expect(both.leftToGateways.map(({ scope }) => scope)).to.deep.equal([{ recipients: [f001] }]);
  });

  it("never say no to what the consent does not deny", () => {
    let refusedOnce = 0;
    fc.assert(
      fc.property(consents, fc.array(requests, { minLength: 20, maxLength: 20 }), (consent, some) => {
        let read: ConsentTerms;
        try {
          read = readConsent(consent, { accountOf, untypedRoot: "denies" });
        } catch {
          return;
        }
        const { restrictions, leftToGateways } = restrictionsOf(read, salt);
        for (const request of some.filter(({ action }) => action === "access")) {
          const bits = categoryBits([request.resourceType, ...request.sensitivities] as CategoryCode[]);
          const hit =
            restrictions.organizations.includes(request.recipient) ||
            (restrictions.purposes & purposeBit(request.purpose)) !== 0n ||
            (restrictions.categories & bits) !== 0n;
          const overridden = restrictions.breakGlass && ["ETREAT", "BTG"].includes(request.purpose);
          if (hit && !restrictions.breakGlass) {
            refusedOnce++;
            expect(decide(read, request)).to.equal("denied");
          }
          // And what the registry does not see, the gateways do: together they deny what the consent denies.
          const seen = hit && !overridden;
          const byGateway = decide({ ...read, denials: leftToGateways, permits: [], breakGlass: [] }, request);
          if (!seen && decide(read, request) === "denied" && !read.onlyByGrant && !overridden)
            expect(byGateway).to.equal("denied");
        }
      }),
      { numRuns: 300, seed: SEED },
    );
    expect(refusedOnce).to.be.above(50);
  });
});

describe("terms", () => {
  const terms: ConsentTerms = { onlyByGrant: true, permits: [], denials: [], breakGlass: [] };
  const wrong: [string, Partial<ConsentTerms>, string][] = [
    ["a permit without recipient", { permits: [{ purposes: ["TREAT"] }] }, "$.permits[0].recipients"],
    ["an empty list", { permits: [{ recipients: [] }] }, "$.permits[0].recipients"],
    [
      "an exception that nothing permits",
      { denials: [{ scope: {}, except: [{ recipients: [f001] }] }] },
      "$.denials[0].except",
    ],
    [
      "an exception outside of its denial",
      {
        permits: [{ recipients: [f001] }],
        denials: [{ scope: { recipients: [f002] }, except: [{ recipients: [f001] }] }],
      },
      "$.denials[0].except",
    ],
    ["a denial with a ceiling", { denials: [{ scope: { ceiling: "N" }, except: [] }] }, "$.denials[0].scope.ceiling"],
    [
      "labels asked for and shut out",
      { permits: [{ recipients: [f001], sensitivities: ["PSY"], withoutSensitivities: ["SPI"] }] },
      "$.permits[0].sensitivities",
    ],
  ];
  for (const [what, change, path] of wrong)
    it(`are refused with ${what}`, () => {
      expect(refused("INPUT_INVALID", () => normalTerms({ ...terms, ...change })).details.path).to.equal(path);
    });

  it("have one form: order, repetition and codes that are included anyway make no difference", () => {
    const a: ConsentTerms = {
      ...terms,
      permits: [{ recipients: [f002, f001], purposes: ["TREAT", "BTG"], ceiling: "V", from: 0 }],
      denials: [{ scope: { resourceTypes: ["Patient", "Consent", "Patient"] }, except: [] }],
    };
    const b: ConsentTerms = {
      ...terms,
      permits: [
        { recipients: [f001], purposes: ["TREAT"] },
        { recipients: [f002], purposes: ["TREAT"] },
        { recipients: [f001], purposes: ["TREAT"] },
      ],
      denials: [{ scope: { resourceTypes: ["Consent", "Patient"] }, except: [] }],
    };
    expect(sameTerms(a, b)).to.equal(true);
    expect(sameTerms(a, { ...b, onlyByGrant: false })).to.equal(false);
  });
});
