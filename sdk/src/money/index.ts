export {
  exactProduct,
  formatAmount,
  multiplyDecimals,
  parseAmount,
  parseDecimal,
  rescaleAmount,
  toBaseUnits,
  usDollar,
  type Currency,
  type Decimal,
  type DecimalInput,
  type Token,
} from "./amount";
