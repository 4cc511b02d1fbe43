import {
  confidentialityAt,
  confidentialityRank,
  type ConfidentialityCode,
  type PurposeCode,
  type ResourceTypeCode,
  type SensitivityCode,
} from "../codes";
import { purposeList, resourceTypeList, sensitivityList } from "../codes/lists";
import { CarepactError } from "../errors";

/** What is done with data: FHIR R4 `Consent.provision.action`. A grant on chain is about `access`. */
export const consentActions = ["collect", "access", "use", "disclose", "correct"] as const;
export type ConsentAction = (typeof consentActions)[number];

/** How a record is singled out: FHIR R4 `Consent.provision.data.meaning`. */
export const dataMeanings = ["instance", "related", "dependents", "authoredby"] as const;
export type DataMeaning = (typeof dataMeanings)[number];

/** Records singled out by a reference. */
export interface RecordSelection {
  /**
   * `instance`: the record itself; `related`: also what it refers to; `dependents`: also what refers to it;
   * `authoredby`: what was written by whom the reference names.
   */
  meaning: DataMeaning;
  reference: string;
}

/**
 * What a rule of a consent is about: all that is said has to hold, of a list one entry. What is not said does not matter.
 * Codes include those below them.
 */
export interface Scope {
  /** Accounts that see it. */
  recipients?: string[];
  purposes?: PurposeCode[];
  resourceTypes?: ResourceTypeCode[];
  /** Labels of which the record has to carry one; for a denial, one above them is enough: it may stand for one of them. */
  sensitivities?: SensitivityCode[];
  /** Labels of which the record must not carry any, nor one above them. */
  withoutSensitivities?: SensitivityCode[];
  /** Highest confidentiality of the record. */
  ceiling?: ConfidentialityCode;
  /** First moment in which the rule holds, unix seconds. */
  from?: number;
  /** First moment in which it no longer holds, unix seconds. */
  until?: number;
  actions?: ConsentAction[];
  /** Accounts of those who hold the record. */
  custodians?: string[];
  /** Accounts of those who wrote it. */
  authors?: string[];
  /** Codes of which the record has to have one, `system|code`. */
  codes?: string[];
  /** First moment that the record is about, unix seconds; before 1970 below zero. */
  recordsFrom?: number;
  /** First moment that it is no longer about. */
  recordsUntil?: number;
  records?: RecordSelection[];
}

/** What is asked, with all that is known of the record. */
export interface AccessRequest {
  /** Account of who asks. */
  recipient: string;
  purpose: PurposeCode;
  /** When it is asked, unix seconds. */
  at: number;
  action: ConsentAction;
  resourceType: ResourceTypeCode;
  sensitivities: SensitivityCode[];
  /** The labels are those of several records together: which of them this one carries is not known. */
  sensitivitiesTogether?: boolean;
  confidentiality: ConfidentialityCode;
  custodian?: string;
  author?: string;
  /** `system|code`. */
  codes?: string[];
  /** What moment the record is about, unix seconds. */
  recordAt?: number;
  record?: {
    reference: string;
    /** References that it holds. */
    refersTo: string[];
    /** References of records that refer to it. */
    referredToBy: string[];
    authoredBy: string[];
  };
}

type Names = Exclude<keyof Scope, "ceiling" | "from" | "until" | "recordsFrom" | "recordsUntil" | "records">;
const ACCOUNTS = ["recipients", "custodians", "authors"] as const satisfies Names[];

const listOf = <Value>(values: readonly Value[]): Value[] | undefined =>
  values.length === 0 ? undefined : [...values];
const sorted = (values: readonly string[]): string[] => [...new Set(values)].sort();

/** Property names that do not say anything are left out. */
function defined(scope: { [Name in keyof Scope]: Scope[Name] | undefined }): Scope {
  return Object.fromEntries(Object.entries(scope).filter(([, value]) => value !== undefined));
}

/**
 * The one way to write a scope: the fewest codes, lists sorted, nothing said that excludes nothing. An empty list is
 * kept out by whoever makes scopes: it would match nothing.
 * @throws CODE_UNKNOWN
 */
export function normalScope(scope: Scope): Scope {
  const { purposes, resourceTypes, sensitivities, withoutSensitivities, ceiling, from, actions, codes, records } =
    scope;
  const names = <Code extends string>(
    list: { all: bigint; maskOf(codes: readonly unknown[]): bigint; codesOf(mask: bigint): Code[] },
    values: readonly Code[] | undefined,
    everything = true,
  ): Code[] | undefined => {
    if (values === undefined) return undefined;
    const mask = list.maskOf(values);
    return everything && mask === list.all ? undefined : listOf(list.codesOf(mask));
  };
  const accounts = Object.fromEntries(
    ACCOUNTS.map((name) => [name, scope[name] === undefined ? undefined : sorted(scope[name])]),
  ) as Pick<Scope, (typeof ACCOUNTS)[number]>;
  const keyOf = ({ meaning, reference }: RecordSelection): string => `${meaning} ${reference}`;
  return defined({
    ...accounts,
    purposes: names(purposeList, purposes),
    resourceTypes: names(resourceTypeList, resourceTypes),
    // A record without labels carries none, so that even the root of labels says something.
    sensitivities: names(sensitivityList, sensitivities, false),
    withoutSensitivities: names(sensitivityList, withoutSensitivities, false),
    ceiling: ceiling === undefined || confidentialityRank(ceiling) === 5 ? undefined : ceiling,
    // Nobody asks before 1970.
    from: from === undefined || from <= 0 ? undefined : from,
    until: scope.until,
    actions:
      actions === undefined || consentActions.every((action) => actions.includes(action))
        ? undefined
        : consentActions.filter((action) => actions.includes(action)),
    codes: codes === undefined ? undefined : sorted(codes),
    recordsFrom: scope.recordsFrom,
    recordsUntil: scope.recordsUntil,
    records:
      records === undefined
        ? undefined
        : [...new Map(records.map(({ meaning, reference }) => [keyOf({ meaning, reference }), { meaning, reference }]))]
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([, record]) => record),
  });
}

type Several = string[] | undefined;

/** Which elements of a scope, as sets of which the request has one. */
const SINGLE = ["recipients", "custodians", "authors", "actions"] as const;
/** A record may have several of these, so that "one of A and one of B" is not "one of what is in both". */
const MULTIPLE = ["codes", "sensitivities", "records"] as const;

const inside = (mask: bigint, within: bigint): boolean => (mask & ~within) === 0n;

/** Whether all that `inner` is about lies within `outer`, as far as the elements tell. */
export function contains(outer: Scope, inner: Scope): boolean {
  const subset = (a: Several, b: Several): boolean =>
    a === undefined || (b?.every((entry) => a.includes(entry)) ?? false);
  const keys = (scope: Scope): Several => scope.records?.map(({ meaning, reference }) => `${meaning} ${reference}`);
  const mask = (list: { all: bigint; maskOf(codes: readonly unknown[]): bigint }, a: Several, b: Several): boolean =>
    a === undefined || (b !== undefined && inside(list.maskOf(b), list.maskOf(a)));
  const least = (a: number | undefined, b: number | undefined): boolean =>
    a === undefined || (b !== undefined && b >= a);
  const most = (a: number | undefined, b: number | undefined): boolean =>
    a === undefined || (b !== undefined && b <= a);
  const rank = (ceiling: ConfidentialityCode | undefined): number =>
    ceiling === undefined ? 5 : confidentialityRank(ceiling);
  return (
    SINGLE.every((name) => subset(outer[name], inner[name])) &&
    subset(outer.codes, inner.codes) &&
    subset(keys(outer), keys(inner)) &&
    mask(purposeList, outer.purposes, inner.purposes) &&
    mask(resourceTypeList, outer.resourceTypes, inner.resourceTypes) &&
    mask(sensitivityList, outer.sensitivities, inner.sensitivities) &&
    // The other way round: who shuts out more is about less.
    mask(sensitivityList, inner.withoutSensitivities ?? [], outer.withoutSensitivities ?? []) &&
    rank(outer.ceiling) >= rank(inner.ceiling) &&
    least(outer.from, inner.from) &&
    most(outer.until, inner.until) &&
    least(outer.recordsFrom, inner.recordsFrom) &&
    most(outer.recordsUntil, inner.recordsUntil)
  );
}

/** What lies in both scopes, or the name of the element in which nothing does, or that cannot say it. */
export function intersect(a: Scope, b: Scope): Scope | keyof Scope {
  const both = { ...a, ...b };
  for (const name of SINGLE) {
    const first: Several = a[name];
    const second: Several = b[name];
    if (first === undefined || second === undefined) continue;
    const common = first.filter((entry) => second.includes(entry));
    if (common.length === 0) return name;
    Object.assign(both, { [name]: common });
  }
  const lists = { purposes: purposeList, resourceTypes: resourceTypeList } as const;
  for (const name of ["purposes", "resourceTypes"] as const) {
    const [first, second] = [a[name], b[name]];
    if (first === undefined || second === undefined) continue;
    const mask = lists[name].maskOf(first) & lists[name].maskOf(second);
    if (mask === 0n) return name;
    Object.assign(both, { [name]: lists[name].codesOf(mask) });
  }
  for (const name of MULTIPLE) {
    if (a[name] === undefined || b[name] === undefined) continue;
    const [first, second] = [{ [name]: a[name] } as Scope, { [name]: b[name] } as Scope];
    if (contains(first, second)) Object.assign(both, second);
    else if (contains(second, first)) Object.assign(both, first);
    else return name;
  }
  if (a.withoutSensitivities !== undefined && b.withoutSensitivities !== undefined)
    both.withoutSensitivities = [...a.withoutSensitivities, ...b.withoutSensitivities];
  if (a.ceiling !== undefined && b.ceiling !== undefined)
    both.ceiling = confidentialityAt(Math.min(confidentialityRank(a.ceiling), confidentialityRank(b.ceiling)));
  for (const [from, until] of [
    ["from", "until"],
    ["recordsFrom", "recordsUntil"],
  ] as const) {
    const start = Math.max(a[from] ?? -Infinity, b[from] ?? -Infinity);
    const end = Math.min(a[until] ?? Infinity, b[until] ?? Infinity);
    if (start >= end) return from;
    if (start !== -Infinity) both[from] = start;
    if (end !== Infinity) both[until] = end;
  }
  return normalScope(both);
}

/**
 * Whether a request lies within a scope. Where it cannot be told (the request does not know what the scope asks for, or
 * the record's label is more general than the scope's), `unknown` is the answer: true for a denial, false for a permit.
 */
export function covers(scope: Scope, request: AccessRequest, unknown: boolean): boolean {
  // Accounts have two spellings.
  const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();
  const one = (values: Several, value: string | undefined): boolean =>
    values === undefined || (value === undefined ? unknown : values.some((entry) => same(entry, value)));
  const within = (from: number | undefined, until: number | undefined, at: number | undefined): boolean =>
    at === undefined
      ? (from === undefined && until === undefined) || unknown
      : at >= (from ?? -Infinity) && at < (until ?? Infinity);
  const labels = sensitivityBits(request);
  const maskOf = (codes: SensitivityCode[]): bigint =>
    unknown ? sensitivityList.lineageOf(codes) : sensitivityList.maskOf(codes);
  const { purposes, resourceTypes, sensitivities, withoutSensitivities, ceiling, codes, records } = scope;
  return (
    one(scope.recipients, request.recipient) &&
    (purposes === undefined || inside(purposeList.bit(request.purpose), purposeList.maskOf(purposes))) &&
    (resourceTypes === undefined ||
      inside(resourceTypeList.bit(request.resourceType), resourceTypeList.maskOf(resourceTypes))) &&
    (sensitivities === undefined ||
      ((labels & maskOf(sensitivities)) !== 0n && (unknown || request.sensitivitiesTogether !== true))) &&
    (withoutSensitivities === undefined || (labels & sensitivityList.lineageOf(withoutSensitivities)) === 0n) &&
    (ceiling === undefined || confidentialityRank(request.confidentiality) <= confidentialityRank(ceiling)) &&
    within(scope.from, scope.until, request.at) &&
    one(scope.actions, request.action) &&
    one(scope.custodians, request.custodian) &&
    one(scope.authors, request.author) &&
    (codes === undefined || (request.codes?.some((code) => codes.includes(code)) ?? unknown)) &&
    within(scope.recordsFrom, scope.recordsUntil, request.recordAt) &&
    (records === undefined || (request.record === undefined ? unknown : records.some(selects(request.record))))
  );
}

const sensitivityBits = ({ sensitivities }: AccessRequest): bigint =>
  sensitivities.reduce((sum, code) => sum | sensitivityList.bit(code), 0n);

const selects =
  (record: NonNullable<AccessRequest["record"]>) =>
  ({ meaning, reference }: RecordSelection): boolean => {
    if (meaning === "authoredby") return record.authoredBy.includes(reference);
    return (
      record.reference === reference ||
      (meaning === "related" && record.referredToBy.includes(reference)) ||
      (meaning === "dependents" && record.refersTo.includes(reference))
    );
  };

/** @internal Refuses a scope in which a list is empty: it would be about nothing. */
export function requireScope(scope: Scope, path: string): Scope {
  for (const [name, value] of Object.entries(scope))
    if (Array.isArray(value) && value.length === 0)
      throw new CarepactError("INPUT_INVALID", `${path}.${name} is empty: leave it out, or name something.`, {
        path: `${path}.${name}`,
      });
  return normalScope(scope);
}
