import { getAddress, isAddress } from "ethers";

import type { Connection } from "../chain/deployment";
import { chainTimeOf, deploymentOf } from "../chain/deployment";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { schemaReader } from "../claims/schema";
import { confidentialityRank, type ConfidentialityCode } from "../codes";
import { CarepactError } from "../errors";
import { OrganizationRegistry__factory } from "../generated";
import { organizationKinds } from "../organizations";

import historySchema from "./access-history.schema.json";
import receiptSchema from "./access-receipt.schema.json";
import { receiptMessage } from "./messages";
import { isSignatureOf } from "./signatures";
import { entryHashOf } from "./trail";
import { requireStatement, type AccessStatement } from "./types";

/**
 * What who asked gets, whatever the answer (`access-receipt.schema.json`): what was noted, and the gateway's signature.
 * It opens what the gateway signed, but for the place, which only the patient can open.
 */
export interface AccessReceipt {
  carepact: "access-receipt";
  version: 1;
  chainId: number;
  accessLog: string;
  statement: AccessStatement;
  /** Salt of the statement's hash. */
  salt: string;
  place: string;
  /** The gateway's over {@link receiptMessage}: ECDSA, or ERC-1271. */
  signature: string;
}

/** What a receipt has to say. */
export interface ReceiptExpectations {
  /** Patient id. */
  patient: string;
  /** Account of who asks. */
  who: string;
  /** Of what the key opens; at least one. */
  resourceTypes: readonly string[];
  /** Labels of what the key opens; none unless given. */
  sensitivities?: readonly string[] | undefined;
  /** Confidentiality of what the key opens, where known: who asked for less gets no key for more. */
  confidentiality?: ConfidentialityCode | undefined;
  /** Most seconds since it was noted; 300 unless given. */
  maxAge?: number | undefined;
}

const readJson = schemaReader<AccessReceipt>(receiptSchema, "ACCESS_RECEIPT_INVALID", "receipt", [historySchema]);

/** Reads a receipt of whatever origin. Its signature is another matter. @throws ACCESS_RECEIPT_INVALID, CODE_UNKNOWN */
export function readReceipt(value: unknown): AccessReceipt {
  const receipt = readJson(value);
  return { ...receipt, statement: requireStatement(receipt.statement) };
}

/** Hash of what a receipt is about. */
export const entryHashIn = ({ salt, statement }: AccessReceipt): string => entryHashOf(salt, statement);

/** @internal Whether the gateway that a receipt names signed it. */
export function isSigned(provider: Parameters<typeof isSignatureOf>[0], receipt: AccessReceipt): Promise<boolean> {
  const { statement, place, signature } = receipt;
  const terms = { gateway: statement.gateway, place, at: statement.at, entryHash: entryHashIn(receipt) };
  return isSignatureOf(provider, statement.gateway, receiptMessage(receipt, terms), signature);
}

/**
 * For who holds a content key: gives back what a receipt says if the key may be released against it. The access was
 * allowed, now, to who asks, for this patient and all of what it asks for, and a gateway in good standing signed that it
 * is noted. Keep the receipt, or send it to the patient: it is what shows that an access was hidden.
 * @throws ACCESS_RECEIPT_INVALID, `details.path` names what is wrong; CODE_UNKNOWN, and what reading throws
 */
export function verifyReceipt(
  connection: Connection,
  value: unknown,
  expected: ReceiptExpectations,
  options?: CallOptions,
): Promise<AccessStatement> {
  return reading(
    connection,
    async (provider) => {
      const { chainId, accessLog, organizationRegistry } = deploymentOf(connection);
      const receipt = readReceipt(value);
      const { statement } = receipt;
      const must = (holds: boolean, path: string, problem: string): void => {
        if (!holds) throw new CarepactError("ACCESS_RECEIPT_INVALID", `The receipt ${problem}.`, { path });
      };
      must(receipt.chainId === chainId, "$.chainId", "is of another chain");
      must(getAddress(receipt.accessLog) === getAddress(accessLog), "$.accessLog", "is of another access log");
      must(statement.patient === expected.patient.toLowerCase(), "$.statement.patient", "is about another patient");
      must(
        isAddress(expected.who) && statement.who === getAddress(expected.who),
        "$.statement.who",
        "was given to somebody else",
      );
      must(statement.outcome.result === "allowed", "$.statement.outcome", "is about an attempt that was not allowed");
      const types: readonly string[] = statement.resourceTypes;
      must(
        expected.resourceTypes.length > 0 && expected.resourceTypes.every((type) => types.includes(type)),
        "$.statement.resourceTypes",
        "is about other resources",
      );
      const labels: readonly string[] = statement.sensitivities;
      must(
        (expected.sensitivities ?? []).every((label) => labels.includes(label)),
        "$.statement.sensitivities",
        "is about less sensitive data",
      );
      const { confidentiality: asked } = statement;
      const rankOf = (code: ConfidentialityCode | undefined): number =>
        code === undefined ? 0 : confidentialityRank(code);
      must(
        rankOf(expected.confidentiality) <= rankOf(asked),
        "$.statement.confidentiality",
        "is about less confidential data",
      );
      must(
        statement.action !== "create" && statement.action !== "delete",
        "$.statement.action",
        "is not about looking",
      );
      must(statement.review === undefined, "$.statement.review", "is about a review, which opens nothing");
      const now = await chainTimeOf(provider);
      const age = now - statement.at;
      must(age >= 0 && age <= (expected.maxAge ?? 300), "$.statement.at", "is not of now");
      const registry = OrganizationRegistry__factory.connect(organizationRegistry, provider);
      const [organization, status] = await registry.organizationOf(statement.gateway);
      const isGateway = (Number(organization.kinds) & organizationKinds.gateway) !== 0;
      must(isGateway && Number(status) === 1, "$.statement.gateway", "is of no gateway in good standing");
      must(await isSigned(provider, receipt), "$.signature", "was not signed like this by its gateway");
      return statement;
    },
    options,
  );
}
