import { floors, totalOf } from "./floors";

/** Another protocol's gas: quoted from where it was published or measured, or a key of what this run measures. */
export type Peer = { name: string; quoted: number } | { name: string; measured: string };

/** One row of the benchmark. */
export interface Row {
  key: string;
  operation: string;
  /** Most gas it may take: of the whole transaction, or per line where the key says so. Without: for information. */
  budget?: number;
  peers: Peer[];
}

const easAttest: Peer = { name: "EAS attest", measured: "peer.eas.attest" };
const easMultiAttest: Peer = { name: "EAS multiAttest, per item", measured: "peer.eas.multiAttest.perItem" };
const gasliteDrop: Peer = { name: "GasliteDrop, per transfer", quoted: 24_946 };

/** Where nobody set a number, the floor and a tenth of it for computation. */
const aboveFloor = (key: keyof typeof floors): number => Math.floor(totalOf(floors[key]) * 1.1);

/** Every row, with the protocol's gas budget. To raise a number is to break a promise: see CONTRIBUTING.md. */
export const rows: readonly Row[] = [
  {
    key: "fund.1",
    operation: "fund, one line",
    budget: 69_000,
    peers: [{ name: "base/commerce-payments authorize", quoted: 121_638 }, easAttest],
  },
  {
    key: "settle.1.sig1",
    operation: "settle, one line, one signature, credit",
    budget: 68_000,
    peers: [{ name: "base/commerce-payments capture, without any attestation", quoted: 56_927 }, easAttest],
  },
  { key: "settle.1.sig3of5", operation: "settle, one line, 3-of-5, credit", budget: 78_000, peers: [easAttest] },
  {
    key: "fund.500.payees50.perLine",
    operation: "fund, 500 lines, 50 payees, per line",
    budget: 300,
    peers: [{ name: "Sablier batch create, per stream", quoted: 191_000 }],
  },
  {
    key: "settle.500.payees10.perLine",
    operation: "settle, 500 lines all met, 10 payees, 3-of-5, per line",
    budget: 320,
    peers: [gasliteDrop, easMultiAttest],
  },
  {
    key: "settle.500.payees50.perLine",
    operation: "settle, 500 lines all met, 50 payees, 3-of-5, per line",
    budget: 1_000,
    peers: [gasliteDrop, easMultiAttest],
  },
  {
    key: "settle.500.payees500.perLine",
    operation: "settle, 500 lines all met, 500 payees, 3-of-5, per line",
    budget: 8_700,
    peers: [gasliteDrop, easMultiAttest],
  },
  {
    key: "settle.500.sparse.perLine",
    operation: "settle 50 of 500 lines first, 10 payees, 3-of-5, per settled line",
    budget: 7_500,
    peers: [gasliteDrop, easMultiAttest],
  },
  { key: "reverse.1of500", operation: "reverse 1 of 500, 10 payees", budget: aboveFloor("reverse.1of500"), peers: [] },
  { key: "refund.1", operation: "refund a part of one line, from credit", budget: aboveFloor("refund.1"), peers: [] },
  { key: "payout.1", operation: "payout of a credit", budget: aboveFloor("payout.1"), peers: [] },
  {
    key: "oracle.workflow.report",
    operation: "report of 10 attestations through the real KeystoneForwarder, f = 1, per settlement",
    budget: 110_000,
    peers: [{ name: "Chainlink Functions, per event", quoted: 443_534 }],
  },
  {
    key: "oracle.workflow.report.single",
    operation: "report of a single attestation through the real KeystoneForwarder, f = 1",
    peers: [{ name: "Chainlink Functions, per event", quoted: 443_534 }],
  },
  {
    key: "settle.1.storedDigest",
    operation: "settle, one line, as a workflow reported",
    budget: 62_000,
    peers: [easAttest],
  },
  { key: "settle.1.p256", operation: "settle, one line, one P-256 signature", budget: 78_000, peers: [easAttest] },
  {
    key: "settle.1.patientPasskey",
    operation: "settle, one line, the pharmacy's signature and the patient's passkey",
    budget: 112_000,
    peers: [easAttest],
  },
  {
    key: "present.500",
    operation: "present, 500 lines all met, 10 payees, one signature",
    budget: 95_000,
    peers: [],
  },
  { key: "present.500.sig3of5", operation: "present, 500 lines all met, 10 payees, 3-of-5", peers: [] },
  { key: "dispute.1", operation: "dispute one presented line, with a bond", budget: 75_000, peers: [] },
  { key: "resolve.1", operation: "resolve a dispute: a part of the line, and the bond", budget: 80_000, peers: [] },
  {
    key: "settlePresented.500.payees10",
    operation: "settle what was presented, 10 payees, a part retained",
    peers: [],
  },
  { key: "recoup.1of10", operation: "recoup a part of what is retained of 10 payments", peers: [] },
  { key: "release.10", operation: "release what is retained of 10 payments", peers: [] },
  { key: "deposit.1", operation: "deposit after approve, pool not empty", peers: [] },
  { key: "refund.1.tokens", operation: "refund a part of one line, with tokens", peers: [] },
  { key: "reclaim.1", operation: "reclaim, one line", peers: [] },
  {
    key: "settle.500.payees500.firstTime.perLine",
    operation: "settle, 500 lines, 500 payees never credited before, per line",
    peers: [],
  },
  { key: "patient.register", operation: "register a patient, by its own account", budget: 120_000, peers: [] },
  {
    key: "patient.register.passkey",
    operation: "register a patient by passkey, relayed",
    budget: 140_000,
    peers: [],
  },
  { key: "consent.revoke", operation: "revoke a grant, in a bitmap word in use", budget: 45_000, peers: [] },
  { key: "consent.revoke.first", operation: "revoke a grant, the first of a bitmap word", budget: 62_000, peers: [] },
  {
    key: "consent.revoke.passkey",
    operation: "revoke a grant by passkey, relayed, in a bitmap word in use",
    budget: 80_000,
    peers: [],
  },
  { key: "consent.revokeAll", operation: "end all grants of a patient", budget: 45_000, peers: [] },
  {
    key: "accessLog.append.1000.perEntry",
    operation: "anchor the root of 1,000 entries of the access log, per entry",
    budget: 60,
    peers: [],
  },
  { key: "consent.isPermitted", operation: "check one grant by an account, as a view", budget: 60_000, peers: [] },
  {
    key: "consent.isPermitted.passkey",
    operation: "check one grant by passkey, as a view",
    budget: 60_000,
    peers: [],
  },
  {
    key: "consent.isPermitted.passkey.restricted",
    operation: "check one grant by passkey under restrictions that name 3 organizations, as a view",
    budget: 60_000,
    peers: [],
  },
  { key: "peer.eas.attest", operation: "EAS 1.9.0 attest, 32 bytes of data", peers: [] },
  {
    key: "peer.eas.multiAttest.perItem",
    operation: "EAS 1.9.0 multiAttest, 50 items of 32 bytes, per item",
    peers: [],
  },
];
