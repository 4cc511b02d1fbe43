import { expect } from "chai";
import fc from "fast-check";

import { isCarepactError } from "../../sdk/src/errors";
import { exactProduct, formatAmount, parseAmount, parseDecimal, rescaleAmount, usDollar } from "../../sdk/src/money";

import { refused } from "./refused";

const stablecoin = { decimals: 6 };

describe("money", () => {
  it("reads decimal strings and JSON numbers as base units", () => {
    expect(parseAmount("90.00", usDollar)).to.equal(9000n);
    expect(parseAmount(235.4, usDollar)).to.equal(23540n);
    expect(parseAmount(0, usDollar)).to.equal(0n);
    expect(parseAmount("90", { decimals: 0 })).to.equal(90n);
    expect(parseAmount("0.000000000000000001", { decimals: 18 })).to.equal(1n);
    expect(parseAmount("1.50", { decimals: 1 })).to.equal(15n);
  });

  it("refuses what is not a plain decimal", () => {
    for (const value of ["", " 1", "1 ", "+1", "1.", ".5", "01", "1e3", "1,000", "0x10", "NaN", "Infinity", "١"])
      refused("AMOUNT_INVALID", () => parseAmount(value, usDollar));
    for (const value of [NaN, Infinity, -Infinity, 1e21, 1e-7, null, undefined, true, {}, [], 9n])
      refused("AMOUNT_INVALID", () => parseAmount(value, usDollar));
  });

  it("refuses an amount below zero", () => {
    refused("AMOUNT_NEGATIVE", () => parseAmount("-0.01", usDollar));
    refused("AMOUNT_NEGATIVE", () => parseAmount(-5, usDollar));
  });

  it("refuses a JSON number that may not be what was written", () => {
    refused("AMOUNT_UNSAFE", () => parseAmount(0.1 + 0.2, usDollar));
    refused("AMOUNT_UNSAFE", () => parseAmount(2 ** 53, usDollar));
  });

  it("refuses more decimal places than the currency has, and names them", () => {
    const error = refused("AMOUNT_TOO_PRECISE", () => parseAmount("1.005", usDollar, "Claim.total"));
    expect(error.details).to.deep.equal({ path: "Claim.total", value: "1.005", decimals: 2 });
    expect(error.message).to.contain("Claim.total");
  });

  it("refuses a number too long to be an amount", () => {
    refused("AMOUNT_TOO_LARGE", () => parseAmount("9".repeat(61), usDollar));
  });

  it("writes at least two decimal places, and no zeros beyond", () => {
    expect(formatAmount(90_000_000n, stablecoin)).to.equal("90.00");
    expect(formatAmount(1n, stablecoin)).to.equal("0.000001");
    expect(formatAmount(12_300_000n, stablecoin, 0)).to.equal("12.3");
    expect(formatAmount(90n, { decimals: 0 })).to.equal("90");
    expect(formatAmount(-5n, usDollar)).to.equal("-0.05");
  });

  it("reads back whatever it wrote", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, (1n << 96n) - 1n), fc.integer({ min: 0, max: 18 }), (amount, decimals) => {
        expect(parseAmount(formatAmount(amount, { decimals }), { decimals })).to.equal(amount);
      }),
    );
  });

  it("reads every price of up to 15 digits the same as number and as text", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 13 - 1 }), (cents) => {
        const text = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
        expect(parseAmount(Number(text), usDollar)).to.equal(parseAmount(text, usDollar));
      }),
    );
  });

  it("answers anything at all with an amount or a CarepactError", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        try {
          expect(parseDecimal(value).digits >= 0n).to.equal(true);
        } catch (error) {
          expect(isCarepactError(error), String(error)).to.equal(true);
        }
      }),
    );
  });

  it("multiplies quantity, unit price and factor exactly", () => {
    expect(exactProduct({ unitPrice: 220, factor: 0.07 }, usDollar)).to.equal(1540n);
    expect(exactProduct({ quantity: 2, unitPrice: 30, factor: 1.1 }, usDollar)).to.equal(6600n);
    expect(exactProduct({ quantity: "0.5", unitPrice: "0.02" }, usDollar)).to.equal(1n);
    refused("AMOUNT_TOO_PRECISE", () => exactProduct({ quantity: 3, unitPrice: "0.333" }, usDollar));
    const negative = refused("AMOUNT_NEGATIVE", () => exactProduct({ quantity: -1, unitPrice: 1 }, usDollar, "item"));
    expect(negative.details.path).to.equal("item.quantity");
  });

  it("names a product however long it is", () => {
    const long = "0." + "3".repeat(58);
    refused("AMOUNT_TOO_PRECISE", () => exactProduct({ quantity: long, unitPrice: long, factor: long }, usDollar));
  });

  it("carries cents into token units, and refuses what a coarser token cannot hold", () => {
    expect(rescaleAmount(9000n, usDollar, stablecoin)).to.equal(90_000_000n);
    expect(rescaleAmount(9000n, usDollar, { decimals: 0 })).to.equal(90n);
    refused("AMOUNT_TOO_PRECISE", () => rescaleAmount(9001n, usDollar, { decimals: 0 }));
  });
});
