import {
  claimLines,
  observeResults,
  releaseLines,
  type AttestationLedger,
  type AttestedLine,
  type LedgerRows,
  type Observation,
} from "./ledger";

/** A ledger that forgets with its process: for tests and trials. Who attests for real takes one that does not. */
export function memoryLedger(): AttestationLedger {
  const events = new Map<string, readonly AttestedLine[]>();
  const observations = new Map<string, Observation>();
  const rows: LedgerRows = {
    get: (eventKey) => events.get(eventKey) ?? [],
    put: (eventKey, lines) => {
      if (lines.length === 0) events.delete(eventKey);
      else events.set(eventKey, lines);
    },
    observed: (batchId) => observations.get(batchId.toLowerCase()),
    putObserved: (batchId, observation) => void observations.set(batchId.toLowerCase(), observation),
  };
  return {
    claim: (lines, coordinatesWith = []) => Promise.resolve(claimLines(rows, lines, coordinatesWith)),
    release: (lines) => Promise.resolve(releaseLines(rows, lines)),
    observe: (batchId, results, observedAt) => Promise.resolve(observeResults(rows, batchId, results, observedAt)),
    attested: (eventKey) => Promise.resolve(rows.get(eventKey).map((line) => ({ ...line }))),
  };
}
