export { lmdbLedger, type LmdbLedger, type LmdbLedgerOptions } from "./lmdbLedger";
