import {
  isBreakGlassPermitted,
  isPermitted,
  isRepresented,
  reasons,
  type Answer,
  type ModelChain,
  type ModelGrant,
  type ModelLink,
  type ModelMandate,
  type ModelRequest,
  type ModelRestrictions,
  type ModelSubGrant,
  type Reason,
} from "./permissionModel";
import {
  NOW,
  HOUR,
  CARE,
  PURPOSES,
  CATEGORIES,
  REFUSED_PURPOSES,
  REFUSED_CATEGORIES,
  restrictions,
  active,
  whole,
  known,
  knownSubGrant,
  knownMandate,
  NAMES,
  world,
} from "./permissionWorld";
import { Random } from "./random";

/** One question, and why it is asked. */
export interface PermissionCase {
  /** `represented`: whether the representative of `chain.mandate` may have what `request` asks for. */
  kind: "grant" | "breakGlass" | "represented";
  chain: ModelChain;
  restrictions?: ModelRestrictions;
  request: ModelRequest;
  /** What it was made for: the first of its faults. */
  aim: Reason;
}

/** What the model says to it. */
export function answerTo({ kind, chain, restrictions, request }: PermissionCase): Answer {
  if (kind === "breakGlass") return isBreakGlassPermitted(world, restrictions, request);
  if (kind === "grant" || chain.mandate === undefined) return isPermitted(world, chain, restrictions, request);
  return isRepresented(world, chain.mandate, request.purposes, request.categories);
}

/** Makes cases: each is sound, then faults are put in: the one it is made for, and some that are found later. */
class CaseMaker {
  private count = 0;

  constructor(private readonly random: Random) {}

  private name(kind: string): string {
    return `${kind}${this.count++}`;
  }

  /** A case that is permitted, or refused only by what `aim` puts in. */
  make(aim: Reason): PermissionCase {
    if (aim === "BreakGlassNotForOrganization" || (aim === "None" && this.random.chance(0.1)))
      return this.breakGlass(aim);
    const made = this.sound(aim);
    const fault = FAULTS[aim];
    if (fault !== undefined) fault(made, this.random);
    if (aim !== "None" && this.random.chance(0.6)) this.addLaterFaults(made, aim);
    const alsoOfBreakGlass = BEFORE_GRANTS.has(aim) && aim !== "ChainTooLong";
    if (alsoOfBreakGlass && made.request.patient !== "restrictedOpen" && this.random.chance(0.2)) {
      if (aim === "OrganizationRestricted") made.request.organization = "refused";
      made.kind = "breakGlass";
    } else if (OF_REPRESENTED.has(aim) && this.random.chance(0.2)) this.askOfRepresentative(made, aim);
    return { ...made, aim };
  }

  /** Asks only whether the representative may grant what the chain's first grant does. */
  private askOfRepresentative(made: Draft, aim: Reason): void {
    const { chain, request } = made;
    if (chain.mandate === undefined) return;
    made.kind = "represented";
    request.purposes = chain.grant.purposes;
    request.categories = chain.grant.categories;
    if (aim === "RequestInvalid") request[this.random.of(["purposes", "categories"] as const)] = 0n;
    if (OF_RECORD.has(aim)) changeMandate(chain, { patient: request.patient });
  }

  private sound(aim: Reason): Draft {
    const { random } = this;
    const id = patientFor(aim, random);
    const key = `${id}/controller`;
    const represented = MANDATED.has(aim) || (!UNMANDATED.has(aim) && random.chance(0.3));
    const links = SUB_GRANTED.has(aim) ? 1 + random.below(3) : random.below(4);

    let grant: ModelGrant = {
      name: this.name("grant"),
      patient: id,
      number: random.of([4, 100, 254, 257, 512, 2 ** 32 - 1]),
      grantee: random.of(CARE),
      ...whole,
      purposes: random.bits(PURPOSES),
      categories: random.bits(CATEGORIES),
      notBefore: NOW - random.of([0, 1, HOUR]),
      expiry: NOW + random.of([1, HOUR, 2 ** 39]),
      ceiling: random.below(6),
      subGrants: links + random.below(3),
      epoch: "current",
      signer: represented ? "representative" : key,
      signature: "good",
    };
    if (!represented && LEAVES_DOCUMENTS.has(aim)) {
      if (random.chance(0.2)) grant = known(id, `${id}/anchored/grant`, `${id}/former`);
      else if (random.chance(0.1)) grant = known(id, `${id}/untouched/grant`, key);
    }

    const mandate = represented ? this.mandateFor(grant, id, aim) : undefined;
    const chain: ModelChain = { grant, ...(mandate === undefined ? {} : { mandate }), subGrants: [] };
    for (let i = 0; i < links; i++) chain.subGrants.push(this.subGrantOf(chain, links - i - 1));
    const last = lastOf(chain);
    const current = world.patients.get(id)?.restrictions;
    const brought = current ?? (random.chance(0.2) ? restrictions("somebody/else", true) : undefined);
    return {
      kind: "grant",
      chain,
      ...(brought === undefined ? {} : { restrictions: brought }),
      request: {
        patient: id,
        organization: last.grantee,
        purposes: random.bits(last.purposes),
        categories: random.bits(last.categories),
        confidentiality: random.below(last.ceiling + 1),
      },
    };
  }

  private mandateFor(grant: ModelGrant, id: string, aim: Reason): ModelMandate {
    const { random } = this;
    const mandate: ModelMandate = {
      name: this.name("mandate"),
      patient: id,
      representative: "representative",
      ...(random.chance(0.4) ? { custodian: "custodian" } : {}),
      purposes: grant.purposes | random.bits(PURPOSES),
      categories: grant.categories | random.bits(CATEGORIES),
      notBefore: NOW - random.of([0, 1, HOUR]),
      end: NOW + random.of([1, HOUR]),
      epoch: "current",
      signer: `${id}/controller`,
      signature: "good",
    };
    const anchored = LEAVES_DOCUMENTS.has(aim) && random.chance(0.2);
    return anchored ? knownMandate(id, `${id}/anchored/mandate`, `${id}/former`) : mandate;
  }

  private subGrantOf({ grant, subGrants }: ModelChain, atLeast: number): ModelSubGrant {
    const { random } = this;
    const before: ModelLink[] = [grant, ...subGrants];
    const parent = before.at(-1) ?? grant;
    const free = CARE.filter((account) => !before.some(({ grantee }) => grantee === account));
    return {
      name: this.name("sub"),
      parent: parent.name,
      grantee: random.of([free[0] ?? "payer", ...free.slice(1)]),
      purposes: random.bits(parent.purposes),
      categories: random.bits(parent.categories),
      ceiling: random.below(parent.ceiling + 1),
      notBefore: random.of([parent.notBefore, NOW]),
      expiry: random.of([parent.expiry, Math.min(parent.expiry, NOW + HOUR)]),
      subGrants: Math.max(atLeast, parent.subGrants - 1 - random.below(2)),
      signature: "good",
    };
  }

  private breakGlass(aim: Reason): PermissionCase {
    const { random } = this;
    const id = random.of([...active]);
    const current = world.patients.get(id)?.restrictions;
    const careless = aim !== "None";
    const overrides = id === "restrictedOpen" && random.chance(0.5);
    return {
      kind: "breakGlass",
      chain: this.sound("None").chain,
      ...(current === undefined ? {} : { restrictions: current }),
      request: {
        patient: id,
        organization: careless ? random.of(["payer", "suspended", "nobody"]) : overrides ? "refused" : random.of(CARE),
        purposes: overrides ? REFUSED_PURPOSES : random.bits(PURPOSES),
        categories: overrides ? REFUSED_CATEGORIES : random.bits(CATEGORIES),
        confidentiality: random.below(6),
      },
      aim,
    };
  }

  /** Faults that are found after the one aimed at, and so must not show. */
  private addLaterFaults(made: Draft, aim: Reason): void {
    const at = reasons.indexOf(aim);
    // Links are gone through one by one: what is found in one of them may come before or after what is in another.
    const isOfLink = (reason: Reason): boolean =>
      at > reasons.indexOf("MandateTooNarrow") &&
      reasons.indexOf(reason) <= reasons.indexOf("OrganizationNotInStanding");
    const { grant, mandate, subGrants } = made.chain;
    const known = (documents: readonly { name: string }[]): boolean => documents.some(({ name }) => NAMES.has(name));
    const kept = (reason: Reason): boolean =>
      (aim === "RequestInvalid" && OF_REQUEST.has(reason)) ||
      (aim.startsWith("Patient") && reason === "PatientMerged") ||
      (MANDATED.has(aim) && reason === "PatientMismatch") ||
      (MANDATED.has(reason) && known(mandate === undefined ? [] : [mandate])) ||
      (OF_LINKS.has(reason) && known([grant, ...subGrants]));
    for (const later of LATER)
      if (reasons.indexOf(later) > at && !isOfLink(later) && !kept(later) && this.random.chance(0.3))
        FAULTS[later]?.(made, this.random);
  }
}

type Draft = Omit<PermissionCase, "aim">;
type Fault = (draft: Draft, random: Random) => void;

const lastOf = ({ grant, subGrants }: ModelChain): ModelLink => subGrants.at(-1) ?? grant;

/** Any link; whose content is known to the chain by its digest stays as it is. */
function anyLink({ chain }: Draft, random: Random): ModelLink {
  const links: ModelLink[] = [chain.grant, ...chain.subGrants];
  return links[random.below(links.length)] ?? chain.grant;
}

/** A link that is changed is another document: those under it are changed with it. */
function change<Link extends ModelLink>(chain: ModelChain, link: Link, changes: Partial<Link>): void {
  const name = `${link.name}'`;
  for (const under of chain.subGrants) if (under.parent === link.name) under.parent = name;
  Object.assign(link, changes, { name });
}

const changeMandate = (chain: ModelChain, changes: Partial<ModelMandate>): void => {
  if (chain.mandate !== undefined) chain.mandate = { ...chain.mandate, name: `${chain.mandate.name}'`, ...changes };
};

function anySubGrant({ chain }: Draft, random: Random): [ModelSubGrant, ModelLink] | undefined {
  const at = random.below(chain.subGrants.length);
  const subGrant = chain.subGrants[at];
  return subGrant === undefined ? undefined : [subGrant, chain.subGrants[at - 1] ?? chain.grant];
}

/** How each reason is brought about. What was changed is a new document, with a name that the chain does not know. */
const FAULTS: Partial<Record<Reason, Fault>> = {
  RequestInvalid: ({ request }, random) => {
    random.of([
      () => (request.purposes = 0n),
      () => (request.categories = 0n),
      () => (request.confidentiality = random.of([6, 255])),
    ])();
  },
  ChainTooLong: ({ chain }, random) => {
    const length = 4 + random.below(2);
    while (chain.subGrants.length < length)
      chain.subGrants.push({ ...knownSubGrant("", `${lastOf(chain).name}+`), parent: lastOf(chain).name });
  },
  PatientUnknown: ({ request }) => void (request.patient = "nobody"),
  PatientDeactivated: ({ request }) => void (request.patient = "deactivated"),
  PatientMerged: ({ request }) => void (request.patient = "merged"),
  RestrictionsNotCurrent: (draft, random) => {
    draft.restrictions = random.of([restrictions("earlier", true), restrictions("none", false)]);
    draft.restrictions.organizations = [];
  },
  OrganizationRestricted: ({ chain, request }, random) => {
    if (random.chance(0.4)) request.organization = "refused";
    else change(chain, anyLink({ chain, request, kind: "grant" }, random), { grantee: "refused" });
  },
  CategoryRestricted: ({ request }, random) => void (request.categories |= random.bits(REFUSED_CATEGORIES)),
  PurposeRestricted: ({ request }) => void (request.purposes |= REFUSED_PURPOSES),
  MandateMismatch: ({ chain }, random) =>
    changeMandate(chain, random.of([{ patient: "somebody" }, { representative: "stranger" }])),
  MandateEnded: (draft, random) => {
    const { chain, request } = draft;
    if (random.chance(0.4)) return changeMandate(chain, { epoch: random.of(["past", "never"]) });
    const by = random.of(["patient", "representative"]);
    if (chain.mandate !== undefined)
      chain.mandate = knownMandate(
        request.patient,
        `${request.patient}/revoked/mandate/${by}`,
        `${request.patient}/controller`,
      );
  },
  MandateNotYetValid: ({ chain }, random) => changeMandate(chain, { notBefore: NOW + random.of([1, HOUR]) }),
  MandateExpired: ({ chain }, random) => changeMandate(chain, { end: NOW - random.of([0, 1, HOUR]) }),
  MandateNotSigned: ({ chain, request }, random) => {
    const late = knownMandate(request.patient, `${request.patient}/late/mandate`, `${request.patient}/former`);
    random.of([
      () => changeMandate(chain, { signature: "bad" }),
      () => changeMandate(chain, { signer: random.of(["stranger", "representative"]) }),
      () => changeMandate(chain, { signer: `${request.patient}/former` }),
      () => (chain.mandate = chain.mandate === undefined ? chain.mandate : late),
    ])();
  },
  CustodianNotInStanding: ({ chain }, random) =>
    changeMandate(chain, { custodian: random.of(["suspended", "nobody"]) }),
  MandateTooNarrow: ({ chain }, random) => {
    const missing = random.of(["purposes", "categories"] as const);
    const bit = random.bits(chain.grant[missing]);
    changeMandate(chain, { [missing]: (chain.mandate?.[missing] ?? 0n) & ~bit });
  },
  SubGrantNotAllowed: (draft, random) => {
    const [subGrant, parent] = anySubGrant(draft, random) ?? [];
    if (subGrant !== undefined && parent !== undefined)
      change(draft.chain, subGrant, { subGrants: parent.subGrants + random.below(2) });
  },
  SubGrantMismatch: (draft, random) => {
    const [subGrant] = anySubGrant(draft, random) ?? [];
    if (subGrant !== undefined) change(draft.chain, subGrant, { parent: "another" });
  },
  ChainCyclic: (draft, random) => {
    const [subGrant, parent] = anySubGrant(draft, random) ?? [];
    if (subGrant === undefined || parent === undefined) return;
    change(draft.chain, subGrant, { grantee: random.of([parent.grantee, draft.chain.grant.grantee]) });
  },
  SubGrantWider: (draft, random) => {
    const [subGrant, parent] = anySubGrant(draft, random) ?? [];
    if (subGrant === undefined || parent === undefined) return;
    const { ceiling } = parent;
    change(
      draft.chain,
      subGrant,
      random.of([
        { purposes: subGrant.purposes | (1n << 99n) },
        { categories: subGrant.categories | (1n << 149n) },
        { notBefore: parent.notBefore - 1 },
        { expiry: parent.expiry + 1 },
        ceiling < 5 ? { ceiling: ceiling + 1 } : { purposes: subGrant.purposes | (1n << 98n) },
      ]),
    );
  },
  PatientMismatch: ({ chain, request }, random) => {
    const [other = "other", ...others] = active.filter((id) => id !== request.patient);
    const patient = random.of([other, ...others]);
    changeMandate(chain, { patient, signer: `${patient}/controller` });
    change(chain, chain.grant, { patient: chain.mandate === undefined ? random.of(["somebody", patient]) : patient });
  },
  EpochEnded: ({ chain }, random) => change(chain, chain.grant, { epoch: random.of(["past", "never"]) }),
  NotYetValid: (draft, random) => withTime(draft, random, { notBefore: NOW + random.of([1, HOUR]) }),
  Expired: (draft, random) => withTime(draft, random, { expiry: NOW - random.of([0, 1, HOUR]) }),
  Revoked: ({ chain, request }, random) => {
    if (random.chance(0.5)) return change(chain, chain.grant, { number: random.of([0, 1, 2, 3, 255, 256, 511]) });
    const by = random.of(["patient", "signer"] as const);
    if (random.chance(0.5)) {
      chain.grant = known(request.patient, `${request.patient}/revoked/grant/${by}`, `${request.patient}/controller`);
      chain.subGrants = [];
    } else {
      chain.grant = known(request.patient, `${request.patient}/untouched/grant`, `${request.patient}/controller`);
      chain.subGrants = [knownSubGrant(request.patient, `${request.patient}/revoked/sub/${by}`)];
    }
    request.organization = lastOf(chain).grantee;
  },
  SignerNotController: ({ chain }, random) =>
    change(chain, chain.grant, { signer: random.of(["stranger", "representative"]) }),
  SignerReplaced: ({ chain, request }, random) => {
    const former = `${request.patient}/former`;
    if (random.chance(0.5)) return change(chain, chain.grant, { signer: former });
    chain.grant = known(request.patient, `${request.patient}/late/grant`, former);
    chain.subGrants = [];
    request.organization = chain.grant.grantee;
  },
  SignatureInvalid: (draft, random) => change(draft.chain, anyLink(draft, random), { signature: "bad" }),
  OrganizationNotInStanding: (draft, random) => {
    const link = anyLink(draft, random);
    const account = random.of(["suspended", "nobody"]);
    if (draft.request.organization === link.grantee) draft.request.organization = account;
    change(draft.chain, link, { grantee: account });
  },
  RequesterNotGrantee: ({ chain, request }, random) => {
    const before = chain.subGrants.length === 0 ? "payer" : chain.grant.grantee;
    request.organization = random.of(["payer", "nobody", before]);
  },
  PurposeNotGranted: ({ request }) => void (request.purposes |= 1n << 97n),
  CategoryNotGranted: ({ request }) => void (request.categories |= 1n << 148n),
  CeilingExceeded: ({ chain, request }) => {
    const last = lastOf(chain);
    if (last.ceiling === 5) change(chain, last, { ceiling: 4 });
    request.confidentiality = lastOf(chain).ceiling + 1;
  },
};

/** A time that holds nowhere: of the grant, or of a sub-grant whose grant has the same. */
function withTime({ chain }: Draft, random: Random, time: Partial<ModelLink>): void {
  const from = random.below(chain.subGrants.length + 1);
  const links: ModelLink[] = [chain.grant, ...chain.subGrants];
  // What is below has to lie within, or another reason comes first.
  for (const link of links.slice(from)) change(chain, link, time);
}

/** Faults that are found one after the other, and that leave each other as they are. */
const LATER: Reason[] = [
  "PatientMerged",
  "RestrictionsNotCurrent",
  "CategoryRestricted",
  "PurposeRestricted",
  "MandateMismatch",
  "MandateNotYetValid",
  "MandateExpired",
  "CustodianNotInStanding",
  "PatientMismatch",
  "EpochEnded",
  "SignatureInvalid",
  "PurposeNotGranted",
  "CategoryNotGranted",
];

const OF_REQUEST = new Set<Reason>([
  "CategoryRestricted",
  "PurposeRestricted",
  "PurposeNotGranted",
  "CategoryNotGranted",
]);
const OF_LINKS = new Set<Reason>(["PatientMismatch", "EpochEnded", "SignatureInvalid"]);
const BEFORE_GRANTS = new Set<Reason>(reasons.slice(1, reasons.indexOf("MandateMismatch")));
/** Reasons whose faults leave documents as they are, or come before anybody looks at these. */
const LEAVES_DOCUMENTS = new Set<Reason>([
  ...BEFORE_GRANTS,
  "None",
  "RequesterNotGrantee",
  "PurposeNotGranted",
  "CategoryNotGranted",
]);
const MANDATED = new Set<Reason>(
  reasons.filter((reason) => reason.startsWith("Mandate")).concat("CustodianNotInStanding"),
);
/** Reasons that stand of a record, and those that `isRepresented` can give. */
const OF_RECORD = new Set<Reason>(["PatientUnknown", "PatientDeactivated", "PatientMerged"]);
const OF_REPRESENTED = new Set<Reason>(["None", "RequestInvalid", ...OF_RECORD, ...MANDATED]);
OF_REPRESENTED.delete("MandateMismatch");
const UNMANDATED = new Set<Reason>(["SignerNotController", "SignerReplaced", "Revoked"]);
const SUB_GRANTED = new Set<Reason>(["SubGrantNotAllowed", "SubGrantMismatch", "ChainCyclic", "SubGrantWider"]);
const RESTRICTED = new Set<Reason>([
  "RestrictionsNotCurrent",
  "OrganizationRestricted",
  "CategoryRestricted",
  "PurposeRestricted",
]);

const patientFor = (aim: Reason, random: Random): string =>
  RESTRICTED.has(aim) ? random.of(["restricted", "restrictedOpen"]) : random.of([...active]);

/**
 * Cases in which each reason is aimed at about as often as any other, and permission three times in ten.
 * @param count At least 40.
 */
export function permissionCases(count: number, seed: number): PermissionCase[] {
  const random = new Random(seed);
  const maker = new CaseMaker(random);
  const refusals = reasons.filter((reason) => reason !== "None");
  const permitted = Math.ceil(count * 0.302);
  const aims = Array.from({ length: count }, (_, i): Reason =>
    i < permitted ? "None" : (refusals[i % refusals.length] ?? "None"),
  );
  return aims.map((aim) => maker.make(aim));
}
