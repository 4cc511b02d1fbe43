import { getAddress, isHexString, type Provider } from "ethers";

import { actionOf, type Action } from "../chain/action";
import { decodeError } from "../chain/decodeError";
import { chainTimeOf, deploymentOf, providerOf, type Connection } from "../chain/deployment";
import { accessLogInterface } from "../chain/interfaces";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import type { CategoryCode } from "../codes";
import { randomSalt, systemRandom, type RandomSource } from "../encryption";
import { CarepactError, isCarepactError } from "../errors";
import { ConsentRegistry__factory } from "../generated";
import { accountSigner, type PatientSigner, type TypedDataSigner } from "../signers";

import { anchoredRootsOf, momentOf } from "./anchors";
import { anchoringOf } from "./anchoring";
import { compartmentOf, consentPermission, statementOfAttempt, type Attempt, type Permission } from "./attempt";
import {
  emergenciesOf,
  requireReview,
  REVIEW_POLICY,
  type Emergency,
  type SignedReview,
  type Unreviewed,
} from "./breakGlass";
import {
  messageOfHistory,
  type AccessHistory,
  type HistoryEntry,
  type HistoryTrail,
  type HistoryView,
} from "./history";
import { trailLogOf, type Placed } from "./log";
import { receiptMessage } from "./messages";
import type { AccessReceipt } from "./receipt";
import { sealAccess, type SealedAccess } from "./sealing";
import type { AccessStore } from "./store";
import { compartments, type Compartment } from "./trail";
import { requireStatement, type AccessOutcome, type AccessStatement, type AccessRefusal } from "./types";

/** How a gateway works. */
export interface GatewayOptions {
  store: AccessStore;
  /**
   * Says whether an attempt is permitted, from the newest block and without any cache; unless given,
   * {@link consentPermission} without options. If it throws, nothing is given out.
   */
  permission?: (attempt: Attempt, options: CallOptions) => Promise<Permission>;
  /**
   * Categories that nobody but the patient may learn of at this time, with all that may stand for them; none unless given.
   * For who has no representative: none.
   */
  ownCategories?: (patient: string, at: number) => readonly CategoryCode[] | Promise<readonly CategoryCode[]>;
  /** Seconds within which an access in an emergency is to be reviewed; 72 hours unless given. */
  reviewWithin?: number;
  /** Signs receipts; unless given, the connection's runner. A wallet contract (`contractSigner`) also sends the roots. */
  signer?: PatientSigner;
  /** For tests. */
  random?: RandomSource;
}

/** What who asked gets. Nothing is given out without it. */
export type AccessAnswer =
  | { allowed: true; receipt: AccessReceipt }
  | { allowed: false; reason: AccessRefusal; advice: string; receipt: AccessReceipt };

/** Which roots a history is to show. */
export interface RootsAsked {
  /**
   * Numbers of roots under which the record is to be shown, besides those under which it grew: whoever asks draws some, or
   * takes all since the last audit. So a gateway cannot begin a trail anew behind a root that it leaves out.
   */
  roots?: readonly number[];
}

/** Who is to see a history. */
export type HistoryViewer =
  /** Sealed to the patient's key in the registry. */
  | ({ view: "patient" } & RootsAsked)
  /** Sealed to the representative's own X25519 key. That it may see it, the gateway has made sure of. */
  | ({ view: "representative"; hpkeKey: string } & RootsAsked);

/** A root that was anchored. */
export interface Anchored {
  sequence: number;
  root: string;
  head: string;
}

/** A notice for a patient, until it is delivered. */
export interface Notice {
  id: string;
  sealed: SealedAccess;
}

/** The log of one gateway: it decides, notes, and only then answers. */
export interface Gateway {
  /** Account of the gateway. */
  account(): Promise<string>;
  /**
   * Asks whether an attempt is permitted, notes it whatever the answer, signs the receipt, and answers. Give out data only
   * when it says `allowed`; whatever it throws, nothing may be given out. An attempt about which permission could not be
   * asked is noted as failed.
   * @throws ACCESS_NOT_LOGGED, INPUT_INVALID, IDENTIFIER_INVALID, ACCESS_ENTRY_MALFORMED, CODE_UNKNOWN, what reading a grant
   * throws, and what `permission` throws
   */
  attempt(attempt: Attempt, options?: CallOptions): Promise<AccessAnswer>;
  /**
   * Notes a review of an access in an emergency, by somebody of another organization in good standing.
   * @throws ACCESS_REVIEW_INVALID, INPUT_INVALID, ACCESS_NOT_LOGGED
   */
  review(review: SignedReview, options?: CallOptions): Promise<AccessReceipt>;
  /** Accesses in an emergency that nobody reviewed yet, oldest first. */
  unreviewed(options?: CallOptions): Promise<Unreviewed[]>;
  /** Notices of emergencies that are not delivered yet, sealed to the patients' keys. */
  notices(options?: CallOptions): Promise<Notice[]>;
  /** Notes that a notice reached the patient. */
  delivered(id: string): Promise<void>;
  /**
   * Anchors how all trails are now. Do so on a schedule, whether anything happened or not. Sent twice, or by two processes,
   * only one counts; make a new action after a failure, so that it holds what was noted meanwhile.
   */
  anchor(): Action<Anchored, { head: string }>;
  /**
   * What the gateway has of a patient, signed and sealed.
   * @throws ACCESS_LOG_INCONSISTENT, PATIENT_KEY_MISSING, KEY_INVALID
   */
  history(patient: string, viewer: HistoryViewer, options?: CallOptions): Promise<SealedAccess>;
}

const REVIEW_WITHIN = 72 * 60 * 60;
const NO_KEY = `0x${"00".repeat(32)}`;

/** The access log of one gateway, whose account the runner or `signer` is. */
export function createGateway(connection: Connection, options: GatewayOptions): Gateway {
  const deployment = deploymentOf(connection);
  const { chainId, accessLog, consentRegistry } = deployment;
  const {
    store,
    permission = consentPermission(connection),
    reviewWithin = REVIEW_WITHIN,
    random = systemRandom,
  } = options;
  let signing: Promise<PatientSigner> | undefined;
  const signer = (): Promise<PatientSigner> =>
    (signing ??=
      options.signer === undefined
        ? accountSigner(connection.runner as unknown as TypedDataSigner).catch((thrown: unknown) => {
            signing = undefined;
            throw thrown;
          })
        : Promise.resolve(options.signer));
  const account = async (): Promise<string> => getAddress((await signer()).signer);
  const log = trailLogOf(store, account, random);
  const anchoring = anchoringOf(store, log, random);
  const emergencies = emergenciesOf(store, log);

  /** The receipt of an entry, the same each time. */
  const receiptOf = async (placed: Placed): Promise<AccessReceipt> => {
    const { entry, entryHash, place } = placed;
    const { statement, salt } = entry;
    const key = `receipt/${entryHash}`;
    if ((await store.get(key)) === undefined) {
      const { gateway, at } = statement;
      const message = receiptMessage(deployment, { gateway, place, at, entryHash });
      await store.put(key, await (await signer()).sign(message));
    }
    const signature = (await store.get(key))?.value;
    if (typeof signature !== "string") throw notLogged();
    return { carepact: "access-receipt", version: 1, chainId, accessLog, statement, salt, place, signature };
  };

  const patientKey = async (provider: Provider, patient: string): Promise<string> => {
    const registry = ConsentRegistry__factory.connect(consentRegistry, provider);
    const { hpkeKey } = await registry.patientOf(patient);
    if (hpkeKey === NO_KEY)
      throw new CarepactError("PATIENT_KEY_MISSING", "There is no such patient, and so no key to seal to.", {
        patient,
      });
    return hpkeKey;
  };

  const noticeOf = async (placed: Placed, key: string): Promise<Notice> => {
    const { statement, salt } = placed.entry;
    const { gateway, patient } = statement;
    const receipt = await receiptOf(placed);
    const sealed = await sealAccess({ content: "notice", gateway, patient }, receipt, key);
    await store.put(`notice/${salt}`, { delivered: false, sealed: { ...sealed } });
    return { id: salt, sealed };
  };

  const note = async (
    compartment: Compartment,
    statement: AccessStatement,
    salt: string = randomSalt(random),
  ): Promise<{ placed: Placed; receipt: AccessReceipt }> => {
    try {
      const placed = await log.append(statement.patient, compartment, statement, salt);
      return { placed, receipt: await receiptOf(placed) };
    } catch (thrown) {
      throw notLogged(thrown);
    }
  };

  /** Notes an access in an emergency so that its notice and review cannot be forgotten, wherever this is interrupted. */
  const noteEmergency = async (
    compartment: Compartment,
    statement: AccessStatement,
    key: string,
  ): Promise<AccessReceipt> => {
    const salt = randomSalt(random);
    const { patient } = statement;
    try {
      const behind = await log.end(patient, compartment);
      const emergency: Emergency = { salt, patient, compartment, ...(behind && { behind }) };
      await emergencies.begin(emergency);
      const { placed, receipt } = await note(compartment, statement, salt);
      await noticeOf(placed, key);
      return receipt;
    } catch (thrown) {
      throw notLogged(thrown);
    }
  };

  const attempt = async (provider: Provider, asked: Attempt, within: CallOptions): Promise<AccessAnswer> => {
    const noted = statementOfAttempt(asked, await account());
    const { patient } = noted(0, { result: "allowed" });
    let answer: Permission | undefined;
    let key: string | undefined;
    let failure: unknown;
    try {
      answer = await permission(asked, within);
      if (answer.permitted === true && asked.basis.kind === "breakGlass") key = await patientKey(provider, patient);
    } catch (thrown) {
      answer = undefined;
      failure = thrown;
    }
    // Only now, so that little time passes until it is written.
    const at = await chainTimeOf(provider);
    // Where it cannot be told what is the patient's own, nobody else is shown it.
    let compartment: Compartment = "own";
    try {
      const own = (await options.ownCategories?.(patient, at)) ?? [];
      compartment = compartmentOf(noted(at, { result: "allowed" }), own);
    } catch (thrown) {
      answer = undefined;
      failure ??= thrown;
    }
    const noteOutcome = async (outcome: AccessOutcome): Promise<AccessReceipt> =>
      (await note(compartment, noted(at, outcome))).receipt;
    if (answer === undefined) {
      await noteOutcome({ result: "failed", severity: "serious" });
      throw failure;
    }
    if (answer.permitted !== true) {
      const { reason, advice } = answer;
      return { allowed: false, reason, advice, receipt: await noteOutcome({ result: "refused", reason }) };
    }
    const receipt =
      key === undefined
        ? await noteOutcome({ result: "allowed" })
        : await noteEmergency(compartment, noted(at, { result: "allowed" }), key);
    return { allowed: true, receipt };
  };

  const historyTrail = async (patient: string, compartment: Compartment): Promise<HistoryTrail | undefined> => {
    const end = await log.end(patient, compartment);
    if (end === undefined) return undefined;
    const entries: HistoryEntry[] = [];
    let head = end.trail;
    for await (const placed of log.entries(patient, compartment)) {
      if (placed.end.count > end.count) break;
      const { number, statement, salt, blind } = placed.entry;
      entries.push({ number, statement, salt, blind, signature: (await receiptOf(placed)).signature });
      head = placed.end.head;
    }
    if (head !== end.head)
      throw new CarepactError("ACCESS_LOG_INCONSISTENT", "The store lost entries that it had.", {
        entries: entries.length,
        noted: end.count,
      });
    return { salt: end.salt, entries };
  };

  const history = async (
    provider: Provider,
    signal: AbortSignal,
    patient: string,
    { view, roots: asked = [] }: { view: HistoryView } & RootsAsked,
  ): Promise<AccessHistory> => {
    const askedFor = new Set(asked);
    const gateway = await account();
    const { block, at } = await momentOf(provider);
    const anchored = await anchoredRootsOf(connection, provider, gateway, block, signal);
    const shown = view === "patient" ? compartments : (["shared"] as const);
    const trails: AccessHistory["trails"] = {};
    for (const compartment of shown) {
      const trail = await historyTrail(patient, compartment);
      if (trail !== undefined) trails[compartment] = trail;
    }
    // Of whom nothing that may be shown was noted is, for a representative, one of whom nothing was noted.
    if (view === "representative" && trails.shared?.entries.length === 0) delete trails.shared;
    const proofs = await anchoring.proofs(patient, anchored, askedFor);
    let before = "";
    const roots = proofs.flatMap(({ sequence, trails: opened, position, width, proof }): AccessHistory["roots"] => {
      const counts = shown.map((compartment) => opened[compartment].count);
      // No proof where nothing that is shown is there, or grew: a representative would see from it that something else is.
      const isNews = counts.join() !== before || sequence === anchored.at(-1)?.sequence || askedFor.has(sequence);
      if (!isNews || counts.every((count) => count === 0)) return [];
      before = counts.join();
      const shownTrails = shown.map((compartment) => {
        const { count, blind } = opened[compartment];
        return [compartment, { count, blind }] as const;
      });
      const other = view === "patient" ? {} : { other: opened.own.leaf };
      return [{ sequence, trails: Object.fromEntries(shownTrails), ...other, position, width, proof }];
    });
    const unsigned = {
      carepact: "access-history" as const,
      version: 1 as const,
      chainId,
      accessLog,
      gateway,
      patient,
      view,
      at,
      trails,
      roots,
    };
    return { ...unsigned, signature: await (await signer()).sign(messageOfHistory(unsigned)) };
  };

  return {
    account,
    attempt: (asked, within = {}) =>
      reading(connection, (provider, signal) => attempt(provider, asked, { signal }), within),
    review: (review, within) =>
      reading(
        connection,
        async (provider) => {
          const found = (await emergencies.entries()).find(
            ({ placed }) => placed.entryHash === review.of.toLowerCase(),
          );
          if (found === undefined || found.reviewed)
            throw new CarepactError("ACCESS_REVIEW_INVALID", "There is nothing to review under this hash.", {
              path: "of",
            });
          const access = found.placed.entry.statement;
          await requireReview(connection, provider, review, access);
          const { who, justified, text, signature } = review;
          const statement = requireStatement({
            patient: access.patient,
            gateway: access.gateway,
            at: await chainTimeOf(provider),
            who,
            action: "execute",
            resourceTypes: ["AuditEvent"],
            sensitivities: [],
            purposes: ["HCOMPL"],
            basis: { kind: "policy", policy: REVIEW_POLICY },
            outcome: { result: "allowed" },
            review: { of: found.placed.entryHash, justified, text, signature },
          });
          return (await note(found.emergency.compartment, statement)).receipt;
        },
        within,
      ),
    unreviewed: (within) =>
      reading(
        connection,
        async (provider) => {
          const now = await chainTimeOf(provider);
          return (await emergencies.entries())
            .filter(({ reviewed }) => !reviewed)
            .map(({ placed }): Unreviewed => {
              const { statement } = placed.entry;
              const due = statement.at + reviewWithin;
              return { of: placed.entryHash, statement, due, overdue: now > due };
            })
            .sort((a, b) => a.due - b.due);
        },
        within,
      ),
    notices: (within) =>
      reading(
        connection,
        async (provider) => {
          const found: Notice[] = [];
          for (const { emergency, placed, reviewed } of await emergencies.entries()) {
            const { salt, statement } = placed.entry;
            const stored = (await store.get(`notice/${salt}`))?.value as
              { delivered: boolean; sealed: SealedAccess } | undefined;
            if (stored === undefined) found.push(await noticeOf(placed, await patientKey(provider, statement.patient)));
            else if (!stored.delivered) found.push({ id: salt, sealed: stored.sealed });
            else if (reviewed) await emergencies.close(emergency);
          }
          return found;
        },
        within,
      ),
    delivered: async (noticeId) => {
      const key = `notice/${noticeId}`;
      const stored = await store.get(key);
      if (stored === undefined) throw new CarepactError("INPUT_INVALID", "There is no such notice.", { path: "id" });
      const { sealed } = stored.value as { sealed: { [name: string]: string } };
      await store.put(key, { delivered: true, sealed }, stored.version);
    },
    anchor: () =>
      actionOf(connection, async () => {
        const provider = providerOf(connection.runner);
        const gateway = await account();
        const { block } = await momentOf(provider);
        const previous = (await anchoredRootsOf(connection, provider, gateway, block)).at(-1);
        const { sequence, root } = await anchoring.prepare(previous);
        return {
          to: accessLog,
          data: accessLogInterface.encodeFunctionData("append", [sequence, root]),
          preview: (returned) => {
            const [head] = accessLogInterface.decodeFunctionResult("append", returned) as unknown as [string];
            return { head };
          },
          result: (receipt): Anchored => {
            const head = receipt.logs
              .filter(({ address }) => getAddress(address) === getAddress(accessLog))
              .map((entry) => accessLogInterface.parseLog(entry))
              .find((entry) => entry?.name === "AccessRootAnchored" && entry.args["root"] === root)?.args[
              "head"
            ] as string;
            return { sequence, root, head };
          },
        };
      }),
    history: (patient, viewer, within) =>
      reading(
        connection,
        async (provider, signal) => {
          if (!isHexString(patient, 32))
            throw new CarepactError("INPUT_INVALID", "A patient's id is 32 bytes in hex.", { path: "patient" });
          const about = patient.toLowerCase();
          const key = viewer.view === "patient" ? await patientKey(provider, about) : viewer.hpkeKey;
          const made = await history(provider, signal, about, viewer);
          return sealAccess({ content: "history", gateway: made.gateway, patient: about }, made, key);
        },
        within,
      ),
  };
}

/** Whatever went wrong: who asked gets nothing. */
function notLogged(thrown?: unknown): CarepactError {
  if (isCarepactError(thrown, "ACCESS_NOT_LOGGED")) return thrown;
  return new CarepactError(
    "ACCESS_NOT_LOGGED",
    "The attempt could not be noted, or not signed for: nothing may be given out. Ask again.",
    {},
    thrown === undefined ? undefined : decodeError(thrown),
  );
}
