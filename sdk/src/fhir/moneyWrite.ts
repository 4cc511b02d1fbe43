import { CarepactError } from "../errors";
import { formatAmount, type Currency } from "../money";

/** A double tells decimals of up to 15 significant digits apart. */
const EXACT_DIGITS_OF_A_NUMBER = 15;

/** Base units as a FHIR Money, whose value JSON writes as it is shown here. @throws AMOUNT_UNSAFE */
export function moneyOf(amount: bigint, currency: Currency): { value: number; currency: string } {
  const text = formatAmount(amount, currency);
  if (text.replace(/[-.]/g, "").replace(/^0+/, "").length > EXACT_DIGITS_OF_A_NUMBER)
    throw new CarepactError("AMOUNT_UNSAFE", `${text} has more digits than a JSON number holds exactly.`, {
      value: text,
    });
  return { value: Number(text), currency: currency.code };
}
