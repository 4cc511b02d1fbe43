import { claimLines, releaseLines, type AttestationLedger, type AttestedLine, type LedgerRows } from "./ledger";

/** A ledger that forgets with its process: for tests and trials. Who attests for real takes one that does not. */
export function memoryLedger(): AttestationLedger {
  const events = new Map<string, readonly AttestedLine[]>();
  const rows: LedgerRows = {
    get: (eventKey) => events.get(eventKey) ?? [],
    put: (eventKey, lines) => {
      if (lines.length === 0) events.delete(eventKey);
      else events.set(eventKey, lines);
    },
  };
  return {
    claim: (lines, coordinatesWith = []) => Promise.resolve(claimLines(rows, lines, coordinatesWith)),
    release: (lines) => Promise.resolve(releaseLines(rows, lines)),
    attested: (eventKey) => Promise.resolve(rows.get(eventKey).map((line) => ({ ...line }))),
  };
}
