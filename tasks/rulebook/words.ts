import { dataSlice } from "ethers";

import { formatAmount, type Deployment, type Token } from "@carepact/sdk";
import { attestersOf, eventKinds, type Rulebook, type RulebookAttester } from "@carepact/sdk/rulebooks";

import { amountText } from "../support/money";
import { durationText, list } from "../support/show";

import type { Standing } from "./standings";

/** What is known beside the rulebook. */
interface Knowledge {
  deployment: Deployment;
  /** Token in whose units amounts are shown; base units unless given. */
  token?: Token;
  /** Attesters (ERC-7913 signers in lower case) who equivocated. */
  standings?: ReadonlyMap<string, Standing>;
}

/** One condition, for programs and for people. */
interface Told {
  json: object;
  lines: string[];
}

const isNobody = (account: string): boolean => BigInt(account) === 0n;

/** A rulebook for people; of what is not in use, nothing. */
export const rulebookLines = (id: string, rulebook: Rulebook, knowledge: Knowledge): string[] => [
  ...list({
    id,
    events: Object.entries(eventKinds)
      .flatMap(([kind, bit]) => ((rulebook.eventKinds & bit) === 0 ? [] : [kind]))
      .join(", "),
    grace: durationText(rulebook.grace),
    suspender: isNobody(rulebook.suspender) ? "nobody" : rulebook.suspender,
    documentHash: rulebook.documentHash,
  }),
  ...conditionLines(rulebook, knowledge),
  ...arbitrationLines(rulebook, knowledge),
];

const BPS_IN_PERCENT = 100;

/** What becomes of results that are disputed and of payments that are audited, in words. */
export function arbitrationLines(rulebook: Rulebook, { token }: Knowledge): string[] {
  const { challengePeriod, arbiter, arbiterDeadline, arbiterDefault, bond, retentionBps, lookBack } = rulebook;
  if (isNobody(arbiter)) return [];
  const locked = token === undefined ? `${bond} base units` : amountText(bond, token);
  return [
    challengePeriod === 0
      ? "What is attested settles at once; a line that nobody attested in time can be disputed by its payee."
      : `What is attested can be disputed for ${durationText(challengePeriod)}, and settles afterwards.`,
    ...(bond === 0n ? [] : [`Who disputes a line locks ${locked}.`]),
    `${arbiter} rules on disputes within ${durationText(arbiterDeadline)}; then the attested result holds, or, where there is none, ` +
      `the ${arbiterDefault === 0 ? "payer" : "payee"} gets the money.`,
    ...(retentionBps === 0
      ? []
      : [
          `${retentionBps / BPS_IN_PERCENT} % of each payment is retained for ${durationText(lookBack)}, in which the arbiter can recoup it.`,
        ]),
  ];
}

/** What it takes to settle, in words. */
export function conditionLines(rulebook: Rulebook, knowledge: Knowledge): string[] {
  const { attesterGroups, workflow } = rulebook;
  const reports = BigInt(workflow.id) !== 0n;
  const named = `the workflow ${workflow.id} (name ${workflow.name}) of ${workflow.owner}`;
  return [
    ...(attesterGroups.length > 1 ? ["All of these have to hold:"] : []),
    ...conditionsOf(rulebook, knowledge).flatMap(({ lines }) => lines),
    ...(reports && attesterGroups.length > 0 ? [`Or, in place of all that: ${named} reports.`] : []),
    ...(reports && attesterGroups.length === 0 ? [`Only ${named} reports; nobody signs.`] : []),
  ];
}

/** The same for programs. */
export const conditionsJson = (rulebook: Rulebook, knowledge: Knowledge): object[] =>
  conditionsOf(rulebook, knowledge).map(({ json }) => json);

function conditionsOf(rulebook: Rulebook, knowledge: Knowledge): Told[] {
  const all = attestersOf(rulebook);
  return rulebook.attesterGroups.map(({ threshold, above }, condition) => {
    const { token } = knowledge;
    const attesters = all.filter((attester) => attester.condition === condition);
    const amount = token === undefined ? `${above} base units` : amountText(above, token);
    const where = above === 0n ? "" : `Where a settled group has more than ${amount}: `;
    const json = {
      condition,
      threshold,
      above: token === undefined ? above.toString() : formatAmount(above, token),
      attesters: attesters.map((attester) => attesterJson(attester, knowledge)),
    };
    const [{ role, index } = { role: undefined, index: 0 }] = attesters;
    if (role === "payee") return { json, lines: [`${where}the payee of each group that settles attests [${index}]`] };
    if (role === "patient")
      return {
        json,
        lines: [`${where}the patient of each line that is paid, or a representative, attests [${index}]`],
      };
    return {
      json,
      lines: [
        `${where}${threshold} of ${attesters.length} attest:`,
        ...attesters.map((attester) => `  ${attesterText(attester, knowledge)}`),
      ],
    };
  });
}

function attesterText({ index, signer }: RulebookAttester, knowledge: Knowledge): string {
  const standing = knowledge.standings?.get(signer);
  const says = {
    suspended: ", SUSPENDED: it equivocated, and counts no more",
    equivocated: ", equivocated elsewhere, and still counts here: see rulebook:suspend-attester",
  };
  return `[${index}] ${signer} (${kindOf(signer, knowledge.deployment)})${standing === undefined ? "" : says[standing]}`;
}

function attesterJson({ index, signer, role }: RulebookAttester, { deployment, standings }: Knowledge): object {
  if (role !== undefined) return { index, role };
  return { index, signer, kind: kindOf(signer, deployment), standing: standings?.get(signer) ?? "counts" };
}

const ADDRESS_CHARACTERS = 42;

/** What kind of key an ERC-7913 signer is. */
function kindOf(signer: string, { p256Verifier, webAuthnVerifier, webAuthnOriginVerifier }: Deployment): string {
  if (signer.length === ADDRESS_CHARACTERS) return "account";
  const kinds = [
    [p256Verifier, "P-256 key"],
    [webAuthnVerifier, "passkey"],
    [webAuthnOriginVerifier, "passkey of one page"],
  ] as const;
  const verifier = dataSlice(signer, 0, 20).toLowerCase();
  return kinds.find(([known]) => known.toLowerCase() === verifier)?.[1] ?? "key of another verifier";
}
