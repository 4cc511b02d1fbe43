import { anyValue } from "@nomicfoundation/hardhat-chai-matchers/withArgs";
import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroAddress, ZeroHash } from "ethers";
import fc from "fast-check";

import {
  KIND,
  STATUS,
  NPI,
  OTHER_NPI,
  KEY,
  OTHER_KEY,
  pharmacyEntry,
  type Entry,
  fieldsOf,
  clia,
  deploy,
  deployWithPharmacy,
  deployWithSuspendedPharmacy,
} from "./fixture";

describe("OrganizationRegistry: entries", () => {
  describe("register", () => {
    describe("given an account that is not registered", () => {
      it("keeps the entry, in good standing, with key version 1", async () => {
        const { registry, pharmacy } = await loadFixture(deploy);
        await expect(registry.register(pharmacy, pharmacyEntry))
          .to.emit(registry, "OrganizationRegistered")
          .withArgs(pharmacy.address, fieldsOf(pharmacyEntry))
          .and.to.emit(registry, "HpkeKeyChanged")
          .withArgs(pharmacy.address, KEY, 1n);

        const [entry, status, version] = await registry.organizationOf(pharmacy);
        expect([...entry]).to.deep.equal(fieldsOf(pharmacyEntry));
        expect([status, version]).to.deep.equal([STATUS.active, 1n]);
        expect(await registry.standingOf(pharmacy)).to.equal(KIND.pharmacy);
        expect(await registry.byNpi(NPI)).to.equal(pharmacy.address);
      });

      it("takes an organization of several kinds without any directory id or endpoint", async () => {
        const { registry, laboratory } = await loadFixture(deploy);
        const entry = { ...pharmacyEntry, kinds: 63n, npi: 0n, ncpdpId: 0n, endpoint: "" };
        await registry.register(laboratory, entry);
        expect(await registry.standingOf(laboratory)).to.equal(63n);
        expect(await registry.byNpi(0n)).to.equal(ZeroAddress);
      });

      it("takes two organizations without an NPI", async () => {
        const { registry, pharmacy, laboratory } = await loadFixture(deploy);
        await registry.register(pharmacy, { ...pharmacyEntry, npi: 0n });
        await registry.register(laboratory, { ...pharmacyEntry, npi: 0n });
        expect(await registry.byNpi(0n)).to.equal(ZeroAddress);
      });
    });

    it("refuses the zero address", async () => {
      const { registry } = await loadFixture(deploy);
      await expect(registry.register(ZeroAddress, pharmacyEntry)).to.be.revertedWithCustomError(
        registry,
        "OrganizationAccountZero",
      );
    });

    it("refuses an account that is registered, whatever its status", async () => {
      const { registry, pharmacy } = await loadFixture(deployWithPharmacy);
      const again = () => registry.register(pharmacy, pharmacyEntry);
      await expect(again())
        .to.be.revertedWithCustomError(registry, "OrganizationAlreadyRegistered")
        .withArgs(pharmacy.address);
      await registry.suspend(pharmacy);
      await expect(again()).to.be.revertedWithCustomError(registry, "OrganizationAlreadyRegistered");
    });

    it("refuses a key of zero", async () => {
      const { registry, pharmacy } = await loadFixture(deploy);
      await expect(registry.register(pharmacy, { ...pharmacyEntry, hpkeKey: ZeroHash })).to.be.revertedWithCustomError(
        registry,
        "HpkeKeyZero",
      );
    });
  });

  describe("update", () => {
    const changed: Entry = {
      kinds: KIND.laboratory | KIND.clinic,
      npi: OTHER_NPI,
      ncpdpId: 0n,
      clia: clia("99D9999999"),
      hpkeKey: KEY,
      name: "Test Laboratory",
      endpoint: "",
    };

    describe("given an organization in good standing", () => {
      it("replaces the entry and leaves status and key version", async () => {
        const { registry, pharmacy } = await loadFixture(deployWithPharmacy);
        const update = registry.update(pharmacy, changed);
        await expect(update)
          .to.emit(registry, "OrganizationUpdated")
          .withArgs(pharmacy.address, fieldsOf(changed))
          .and.not.to.emit(registry, "HpkeKeyChanged");

        const [entry, status, version] = await registry.organizationOf(pharmacy);
        expect([...entry]).to.deep.equal(fieldsOf(changed));
        expect([status, version]).to.deep.equal([STATUS.active, 1n]);
        expect(await registry.standingOf(pharmacy)).to.equal(changed.kinds);
      });

      it("refuses the key that the organization rotated away in the meantime", async () => {
        const { registry, pharmacy } = await loadFixture(deployWithPharmacy);
        await registry.connect(pharmacy).setHpkeKey(OTHER_KEY);
        await expect(registry.update(pharmacy, changed))
          .to.be.revertedWithCustomError(registry, "HpkeKeyNotCurrent")
          .withArgs(pharmacy.address, OTHER_KEY);
      });

      it("refuses a key that the organization never had", async () => {
        const { registry, pharmacy } = await loadFixture(deployWithPharmacy);
        for (const hpkeKey of [OTHER_KEY, ZeroHash])
          await expect(registry.update(pharmacy, { ...changed, hpkeKey }))
            .to.be.revertedWithCustomError(registry, "HpkeKeyNotCurrent")
            .withArgs(pharmacy.address, KEY);
      });
    });

    describe("given a suspended organization", () => {
      it("replaces the entry and leaves it suspended", async () => {
        const { registry, pharmacy } = await loadFixture(deployWithSuspendedPharmacy);
        await registry.update(pharmacy, changed);
        const [entry, status] = await registry.organizationOf(pharmacy);
        expect([...entry]).to.deep.equal(fieldsOf(changed));
        expect(status).to.equal(STATUS.suspended);
        expect(await registry.standingOf(pharmacy)).to.equal(0n);
      });
    });

    it("refuses an account that is not registered", async () => {
      const { registry, laboratory } = await loadFixture(deployWithPharmacy);
      await expect(registry.update(laboratory, changed))
        .to.be.revertedWithCustomError(registry, "OrganizationUnknown")
        .withArgs(laboratory.address);
    });
  });

  describe("the fields of an entry, on register and on update", () => {
    const refused: [string, Partial<Entry>, string, unknown[]][] = [
      ["no kind", { kinds: 0n }, "OrganizationKindsInvalid", [0n]],
      ["a kind that does not exist", { kinds: 64n }, "OrganizationKindsInvalid", [64n]],
      ["an unknown kind beside a known one", { kinds: 0x8002n }, "OrganizationKindsInvalid", [0x8002n]],
      ["no name", { name: "" }, "OrganizationNameEmpty", []],
      ["an NPI of nine digits", { npi: 999999994n }, "NpiInvalid", [999999994n]],
      ["an NPI of eleven digits", { npi: 10000000005n }, "NpiInvalid", [10000000005n]],
      ["an NPI with a wrong check digit", { npi: NPI + 1n }, "NpiInvalid", [NPI + 1n]],
      ["an NCPDP id of eight digits", { ncpdpId: 10000000n }, "NcpdpIdInvalid", [10000000n]],
      ["a CLIA number of nine characters", { clia: clia("99D999999") }, "CliaInvalid", [clia("99D999999")]],
      ["a CLIA number with a gap in front", { clia: `0x00${"39".repeat(9)}` }, "CliaInvalid", [anyValue]],
      ["a CLIA number in small letters", { clia: clia("99d9999999") }, "CliaInvalid", [clia("99d9999999")]],
      ...["/", ":", "@", "["].map((char): [string, Partial<Entry>, string, unknown[]] => [
        `a CLIA number with "${char}"`,
        { clia: clia(`99${char}9999999`) },
        "CliaInvalid",
        [clia(`99${char}9999999`)],
      ]),
      ["an endpoint without TLS", { endpoint: "http://a.example" }, "EndpointInvalid", ["http://a.example"]],
      ["an endpoint without a host", { endpoint: "https://" }, "EndpointInvalid", ["https://"]],
      ["an endpoint shorter than its scheme", { endpoint: "https" }, "EndpointInvalid", ["https"]],
    ];
    for (const [what, change, error, args] of refused) {
      it(`may not have ${what}`, async () => {
        const { registry, pharmacy, laboratory } = await loadFixture(deployWithPharmacy);
        const entry = { ...pharmacyEntry, ...change };
        const withoutNpi = { ...entry, npi: change.npi ?? 0n };
        for (const call of [() => registry.register(laboratory, withoutNpi), () => registry.update(pharmacy, entry)])
          await expect(call())
            .to.be.revertedWithCustomError(registry, error)
            .withArgs(...args);
      });
    }

    const accepted: [string, Partial<Entry>][] = [
      ["the NPI that CMS gives as an example", { npi: 1234567893n }],
      ["the least NPI", { npi: 1000000004n }],
      ["the greatest NPI", { npi: NPI }],
      ["an NCPDP id that begins with zeros", { ncpdpId: 1n }],
      ["the greatest NCPDP id", { ncpdpId: 9999999n }],
      ["a CLIA number of digits and capital letters", { clia: clia("0A9Z05D999") }],
      ["a short endpoint", { endpoint: "https://a" }],
    ];
    for (const [what, change] of accepted) {
      it(`may have ${what}`, async () => {
        const { registry, pharmacy } = await loadFixture(deployWithPharmacy);
        const entry = { ...pharmacyEntry, ...change };
        await registry.update(pharmacy, entry);
        const [kept] = await registry.organizationOf(pharmacy);
        expect([...kept]).to.deep.equal(fieldsOf(entry));
      });
    }
  });

  describe("NPI", () => {
    it("is checked as ISO/IEC 7812 prescribes for 80840 and the ten digits", async () => {
      const { registry, pharmacy } = await loadFixture(deploy);
      const register = (npi: bigint) => registry.register.staticCall(pharmacy, { ...pharmacyEntry, npi });
      const nineDigits = fc.bigInt({ min: 100_000_000n, max: 999_999_999n });
      await fc.assert(
        fc.asyncProperty(nineDigits, fc.integer({ min: 0, max: 9 }), async (body, digit) => {
          const npi = body * 10n + BigInt(digit);
          if (digit === npiCheckDigit(body.toString())) await register(npi);
          else await expect(register(npi)).to.be.revertedWithCustomError(registry, "NpiInvalid").withArgs(npi);
        }),
        { numRuns: 150 },
      );
    });

    it("is accepted with its check digit and refused with two neighbours transposed", async () => {
      const { registry, pharmacy } = await loadFixture(deploy);
      const register = (npi: string) => registry.register.staticCall(pharmacy, { ...pharmacyEntry, npi: BigInt(npi) });
      const nineDigits = fc.bigInt({ min: 100_000_000n, max: 999_999_999n });
      await fc.assert(
        fc.asyncProperty(nineDigits, fc.integer({ min: 1, max: 8 }), async (body, at) => {
          const npi = `${body}${npiCheckDigit(body.toString())}`;
          await register(npi);
          const [first, second] = [npi.charAt(at), npi.charAt(at + 1)];
          // Luhn's one blind spot: 09 and 90 have the same sum.
          if (first === second || Math.abs(Number(first) - Number(second)) === 9) return;
          const transposed = npi.slice(0, at) + second + first + npi.slice(at + 2);
          await expect(register(transposed)).to.be.revertedWithCustomError(registry, "NpiInvalid");
        }),
        { numRuns: 75 },
      );
    });

    describe("given an organization that holds one", () => {
      it("is refused to another, also while the holder is suspended", async () => {
        const { registry, pharmacy, laboratory } = await loadFixture(deployWithPharmacy);
        const take = () => registry.register(laboratory, pharmacyEntry);
        await expect(take()).to.be.revertedWithCustomError(registry, "NpiTaken").withArgs(NPI, pharmacy.address);
        await registry.suspend(pharmacy);
        await expect(take()).to.be.revertedWithCustomError(registry, "NpiTaken").withArgs(NPI, pharmacy.address);
      });

      it("is refused to another that updates to it", async () => {
        const { registry, pharmacy, laboratory } = await loadFixture(deployWithPharmacy);
        await registry.register(laboratory, { ...pharmacyEntry, npi: OTHER_NPI });
        await expect(registry.update(laboratory, pharmacyEntry))
          .to.be.revertedWithCustomError(registry, "NpiTaken")
          .withArgs(NPI, pharmacy.address);
        expect(await registry.byNpi(OTHER_NPI)).to.equal(laboratory.address);
      });

      it("stays with an update that keeps it", async () => {
        const { registry, pharmacy } = await loadFixture(deployWithPharmacy);
        await registry.update(pharmacy, { ...pharmacyEntry, name: "New Name" });
        expect(await registry.byNpi(NPI)).to.equal(pharmacy.address);
      });

      it("is free after an update to another", async () => {
        const { registry, pharmacy, laboratory } = await loadFixture(deployWithPharmacy);
        await registry.update(pharmacy, { ...pharmacyEntry, npi: OTHER_NPI });
        expect(await registry.byNpi(NPI)).to.equal(ZeroAddress);
        expect(await registry.byNpi(OTHER_NPI)).to.equal(pharmacy.address);
        await registry.register(laboratory, pharmacyEntry);
        expect(await registry.byNpi(NPI)).to.equal(laboratory.address);
      });

      it("moves to a new account once the old one, suspended, gave it up", async () => {
        const { registry, pharmacy, laboratory } = await loadFixture(deployWithSuspendedPharmacy);
        await registry.update(pharmacy, { ...pharmacyEntry, npi: 0n });
        expect(await registry.byNpi(NPI)).to.equal(ZeroAddress);
        await registry.register(laboratory, pharmacyEntry);
        expect(await registry.byNpi(NPI)).to.equal(laboratory.address);
      });
    });

    it("of more than ten digits is nobody's", async () => {
      const { registry } = await loadFixture(deployWithPharmacy);
      expect(await registry.byNpi((1n << 40n) + NPI)).to.equal(ZeroAddress);
    });
  });
});

/** Luhn over 80840 and the nine digits, digit by digit from the left as on a card, not as the contract does it. */
function npiCheckDigit(nineDigits: string): number {
  const sum = [..."80840", ...nineDigits]
    .map(Number)
    .map((digit, index) => (index % 2 === 0 ? digit : ([0, 2, 4, 6, 8, 1, 3, 5, 7, 9][digit] ?? 0)))
    .reduce((total, value) => total + value, 0);
  return (10 - (sum % 10)) % 10;
}
