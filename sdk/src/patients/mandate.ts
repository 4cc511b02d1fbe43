import type { Provider } from "ethers";

import { askNow } from "../chain/ask";
import { chainTimeOf, type Deployment } from "../chain/deployment";
import { registryInterface } from "../chain/interfaces";
import {
  anyResourceType,
  anySensitivity,
  categoryMask,
  purposeMask,
  type CategoryCode,
  type PurposeCode,
} from "../codes";
import {
  consentTypes,
  NO_CUSTODIAN,
  registryDomain,
  requireMandate,
  type RepresentativeMandate,
  type SignedMandate,
} from "../consents/types";
import { randomSalt, systemRandom } from "../encryption/random";
import { CarepactError } from "../errors";
import { requireBytes, type PatientSigner } from "../signers/types";

import type { CalendarDate } from "./calendar";
import { minorScope, type MinorRules } from "./minors";
import { activeRecordOf, requireController, signerHashOf } from "./record";

/** What a patient, or a minor's custodian, lets a personal representative do. */
export interface MandateInput {
  /** The representative's ERC-7913 signer. */
  representative: string;
  /** Organization that holds the record, asked for where a minor's: the mandate counts only while it is in good standing. */
  custodian?: string;
  /** For what it may grant. A code includes those below it. */
  purposes: readonly PurposeCode[];
  /** What it may grant and see. Unless given: all, and for a minor all that the rules let it have. */
  categories?: readonly CategoryCode[];
  /** First moment, a date or unix seconds; now, by the chain's clock, unless given. */
  from?: Date | number;
  /** First moment at which it no longer holds. For a minor it may be left out: it is then what the rules say. */
  end?: Date | number;
  /** Whose mandate it is, where a minor's. */
  minor?: { rules: MinorRules; birthDate: CalendarDate };
}

const ADDRESS_BYTES = 20;

/** @internal Signs a mandate that counts. */
export async function signMandate(
  provider: Provider,
  deployment: Deployment,
  signer: PatientSigner,
  patient: string,
  input: MandateInput,
): Promise<SignedMandate> {
  const record = await activeRecordOf(provider, deployment, patient);
  requireController(record, signer.signer);
  if (input.minor !== undefined && input.custodian === undefined)
    throw new CarepactError("INPUT_INVALID", "A minor's record is held by an organization: name it.", {
      path: "custodian",
    });
  const custodian =
    input.custodian === undefined ? NO_CUSTODIAN : requireBytes(input.custodian, "custodian", ADDRESS_BYTES);
  if (input.custodian !== undefined) await requireStanding(provider, deployment, custodian);
  const notBefore = input.from === undefined ? await chainTimeOf(provider) : secondsOf(input.from, "from");
  const mandate: RepresentativeMandate = requireMandate({
    patient: record.patient,
    representative: signerHashOf(input.representative),
    custodian,
    purposes: input.purposes.reduce((bits, code) => bits | purposeMask(code), 0n),
    ...scopeOf(input, notBefore),
    notBefore,
    epoch: record.epoch,
    salt: randomSalt(systemRandom),
  });
  const domain = registryDomain({ chainId: deployment.chainId, registry: deployment.consentRegistry });
  const { RepresentativeMandate } = consentTypes;
  const signature = await signer.sign({ domain, types: { RepresentativeMandate }, message: { ...mandate } });
  return { mandate, signer: signer.signer, signature };
}

/** @throws ORGANIZATION_NOT_IN_STANDING */
async function requireStanding(provider: Provider, deployment: Deployment, organization: string): Promise<void> {
  const registry = { to: deployment.organizationRegistry, abi: registryInterface };
  const [kinds] = await askNow(provider, registry, "standingOf", [organization]);
  if (kinds === 0n)
    throw new CarepactError(
      "ORGANIZATION_NOT_IN_STANDING",
      "The custodian is not registered, or suspended: a mandate that names it would not count.",
      { organization },
    );
}

function scopeOf(
  { categories, end, minor }: MandateInput,
  notBefore: number,
): Pick<RepresentativeMandate, "categories" | "end"> {
  const asked = categories === undefined ? undefined : categoryMask(categories);
  const until = end === undefined ? undefined : secondsOf(end, "end");
  if (minor === undefined) {
    if (until === undefined)
      throw new CarepactError("INPUT_INVALID", "A mandate has an end: name one.", { path: "end" });
    return { categories: asked ?? anyResourceType | anySensitivity, end: until };
  }
  const scope = minorScope(minor.rules, minor.birthDate, notBefore);
  if (scope === undefined)
    throw new CarepactError("PATIENT_OF_AGE", "By these rules the patient is of age, and gives mandates itself.", {
      jurisdiction: minor.rules.jurisdiction,
    });
  if (asked !== undefined && (asked & ~scope.categories) !== 0n)
    throw new CarepactError(
      "MANDATE_TOO_WIDE",
      "To some of these categories the minor consents alone: leave them, or all categories, out.",
      { path: "categories", bits: `0x${(asked & ~scope.categories).toString(16)}` },
    );
  if (until !== undefined && until > scope.until)
    throw new CarepactError(
      "MANDATE_TOO_WIDE",
      "By these rules something changes before that end: sign another mandate then.",
      { path: "end", until: scope.until },
    );
  return { categories: asked ?? scope.categories, end: until ?? scope.until };
}

function secondsOf(value: Date | number, path: string): number {
  const seconds = typeof value === "number" ? value : Math.floor(Number(value) / 1000);
  if (!Number.isSafeInteger(seconds))
    throw new CarepactError("INPUT_INVALID", `${path} is a date, or whole unix seconds.`, { path });
  return seconds;
}
