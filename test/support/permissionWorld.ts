import type {
  ModelGrant,
  ModelMandate,
  ModelPatient,
  ModelRestrictions,
  ModelSubGrant,
  World,
} from "./permissionModel";

/** Time at which all is asked. Everything in the world was done before. */
export const NOW = 2_000_000_000;
export const HOUR = 3_600;

export const CARE = ["clinicA", "clinicB", "laboratory", "pharmacy", "hospital"] as const;
export const REVOKED = [0, 1, 2, 3, 255, 256, 511];
/** Sets that requests are made of, and the bits that only restrictions and mandates know. */
export const PURPOSES = 0xffffn;
export const CATEGORIES = 0xffffn | (0xffn << 192n);
export const REFUSED_PURPOSES = 1n << 100n;
export const REFUSED_CATEGORIES = (1n << 150n) | (1n << 250n);

export const restrictions = (name: string, breakGlass: boolean): ModelRestrictions => ({
  name,
  organizations: ["refused"],
  purposes: REFUSED_PURPOSES,
  categories: REFUSED_CATEGORIES,
  breakGlass,
});

const patient = (id: string, change: Partial<ModelPatient> = {}): [string, ModelPatient] => [
  id,
  {
    status: "active",
    controllers: [
      { key: `${id}/former`, since: NOW - 1_000 * HOUR, until: NOW - 100 * HOUR },
      { key: `${id}/controller`, since: NOW - 100 * HOUR },
    ],
    epoch: "current",
    revokedNumbers: new Set(REVOKED),
    ...change,
  },
];

export const active = ["plain", "other", "restricted", "restrictedOpen"] as const;

/** The world that all cases are asked in: it can be set up on chain once. */
export const world: World = {
  now: NOW,
  patients: new Map([
    patient("plain"),
    patient("other"),
    patient("restricted", { restrictions: restrictions("restricted/current", false) }),
    patient("restrictedOpen", { restrictions: restrictions("restrictedOpen/current", true) }),
    patient("deactivated", { status: "deactivated" }),
    patient("merged", { status: "merged" }),
  ]),
  organizations: new Map([
    ["clinicA", { kinds: ["clinic"], suspended: false }],
    ["clinicB", { kinds: ["clinic"], suspended: false }],
    ["laboratory", { kinds: ["laboratory"], suspended: false }],
    ["pharmacy", { kinds: ["pharmacy"], suspended: false }],
    ["hospital", { kinds: ["clinic", "payer"], suspended: false }],
    ["refused", { kinds: ["clinic"], suspended: false }],
    ["payer", { kinds: ["payer", "sponsor", "gateway"], suspended: false }],
    ["custodian", { kinds: ["clinic"], suspended: false }],
    ["suspended", { kinds: ["clinic"], suspended: true }],
  ]),
  revocations: new Set(
    active.flatMap((id) => [
      `${id} ${id}/revoked/grant/patient`,
      `${id}/controller ${id}/revoked/grant/signer`,
      `${id} ${id}/revoked/mandate/patient`,
      `representative ${id}/revoked/mandate/representative`,
      `${id} ${id}/revoked/sub/patient`,
      `clinicA ${id}/revoked/sub/signer`,
      // Anybody may revoke for its own account, which changes nothing.
      `stranger ${id}/untouched/grant`,
      `other ${id === "other" ? "plain" : id}/untouched/grant`,
    ]),
  ),
  anchors: new Map(
    active.flatMap((id): [string, number][] => [
      [`${id}/anchored/grant`, NOW - 200 * HOUR],
      [`${id}/anchored/mandate`, NOW - 200 * HOUR],
      [`${id}/late/grant`, NOW - 50 * HOUR],
      [`${id}/late/mandate`, NOW - 50 * HOUR],
    ]),
  ),
};

export const whole = {
  purposes: PURPOSES,
  categories: CATEGORIES,
  notBefore: NOW - 300 * HOUR,
  expiry: NOW + 300 * HOUR,
};

/** A grant whose name the chain knows: the same content each time, so that it has one digest. */
export const known = (id: string, name: string, signer: string): ModelGrant => ({
  ...whole,
  name,
  patient: id,
  number: 100,
  grantee: "clinicA",
  ceiling: 5,
  subGrants: 3,
  epoch: "current",
  signer,
  signature: "good",
});

export const knownSubGrant = (id: string, name: string): ModelSubGrant => ({
  ...whole,
  name,
  parent: `${id}/untouched/grant`,
  grantee: "clinicB",
  ceiling: 5,
  subGrants: 0,
  signature: "good",
});

export const knownMandate = (id: string, name: string, signer: string): ModelMandate => ({
  name,
  patient: id,
  representative: "representative",
  purposes: PURPOSES,
  categories: CATEGORIES,
  notBefore: NOW - 300 * HOUR,
  end: NOW + 300 * HOUR,
  epoch: "current",
  signer,
  signature: "good",
});

/** Every document that revocations and anchors of the world are about, by its name. */
export const knownDocuments: readonly (ModelGrant | ModelMandate | ModelSubGrant)[] = active.flatMap((id) => [
  known(id, `${id}/untouched/grant`, `${id}/controller`),
  known(id, `${id}/revoked/grant/patient`, `${id}/controller`),
  known(id, `${id}/revoked/grant/signer`, `${id}/controller`),
  known(id, `${id}/anchored/grant`, `${id}/former`),
  known(id, `${id}/late/grant`, `${id}/former`),
  knownMandate(id, `${id}/revoked/mandate/patient`, `${id}/controller`),
  knownMandate(id, `${id}/revoked/mandate/representative`, `${id}/controller`),
  knownMandate(id, `${id}/anchored/mandate`, `${id}/former`),
  knownMandate(id, `${id}/late/mandate`, `${id}/former`),
  knownSubGrant(id, `${id}/revoked/sub/patient`),
  knownSubGrant(id, `${id}/revoked/sub/signer`),
]);

export const NAMES = new Set(knownDocuments.map(({ name }) => name));
