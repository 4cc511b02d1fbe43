import { getAddress, isHexString } from "ethers";

import { actionOf, type Action } from "../../chain/action";
import { decodeError } from "../../chain/decodeError";
import { chainTimeOf, providerOf, type Connection } from "../../chain/deployment";
import { amountIn } from "../../chain/events";
import { escrowExtensionInterface } from "../../chain/interfaces";
import { within, type CallOptions } from "../../chain/options";
import { CarepactError } from "../../errors";
import { digestOf, type PatientSigner, type TypedMessage } from "../../signers";
import { accountSigning } from "../attestation";
import { publicPartOf, type BatchSource } from "../batchSource";
import { jsonOfDocument, requireHead } from "../documents";
import type { PublicPart } from "../file";
import { paymentsOf, type Returned } from "../returning";
import { schemaReader } from "../schema";
import { escrowDomain, escrowTypes, packGroup } from "../types";

import orderSchema from "./refund-order.schema.json";

/** A payee's leave to refund out of its credits, now and later (`refund-order.schema.json`). JSON as it is. */
export interface RefundOrder {
  carepact: "refund-order";
  version: 1;
  chainId: number;
  escrow: string;
  batchId: string;
  payee: string;
  /** What its refunds of the batch may come to, whichever way they are made: base units, as a decimal string. */
  upTo: string;
  /** Last moment at which the order is good, unix seconds. */
  deadline: number;
  signature: string;
}

/** What a payee agrees to. */
export interface RefundOrderInput extends CallOptions {
  /** What its refunds of the batch may come to, those before included, in base units. */
  upTo: bigint;
  /** Last moment at which the order is good; a number is unix seconds. */
  deadline: Date | number;
  /** A wallet contract of `@carepact/sdk/signers`, in whose name to sign. The connection's account unless given. */
  signer?: PatientSigner;
}

const VERSION = 1;
const MAX_BYTES = 64 * 1024;
const ACCOUNT_BYTES = 20;

const read: (value: unknown) => RefundOrder = schemaReader(orderSchema, "FILE_MALFORMED", "refund order");

/**
 * Reads the text of a refund order. Whether it is signed as it should be, only the chain can tell.
 * @throws FILE_TOO_BIG, FILE_MALFORMED, FILE_WRONG_DOCUMENT, FILE_VERSION_UNSUPPORTED
 */
export function parseRefundOrder(text: string): RefundOrder {
  const value = jsonOfDocument(text, MAX_BYTES);
  requireHead(value, "refund-order", VERSION);
  return read(value);
}

type Terms = Pick<RefundOrder, "chainId" | "escrow" | "batchId" | "payee" | "upTo" | "deadline">;

/** What a payee signs of a refund order: EIP-712 message in the escrow's domain. */
const messageOf = ({ chainId, escrow, batchId, payee, upTo, deadline }: Terms): TypedMessage => ({
  domain: escrowDomain({ chainId, escrow }),
  types: { RefundOrder: escrowTypes.RefundOrder },
  message: { batchId, payee, upTo: BigInt(upTo), deadline },
});

/** EIP-712 digest of a refund order, which its payee signs. */
export const refundOrderDigestOf = (order: Omit<RefundOrder, "carepact" | "version" | "signature">): string =>
  digestOf(messageOf(order));

/** @internal Signs what lets anybody have the signer's refunds taken out of its credits. Sends nothing. */
export async function signRefundOrder(
  connection: Connection,
  source: BatchSource,
  { signer: key, upTo, deadline, ...options }: RefundOrderInput,
): Promise<RefundOrder> {
  try {
    return await within(options, async () => {
      const { chainId, escrow, batchId, groups } = publicPartOf(source);
      const signing = key ?? (await accountSigning(connection.runner));
      const payee = isHexString(signing.signer, ACCOUNT_BYTES) ? getAddress(signing.signer) : undefined;
      if (payee === undefined || !groups.some((group) => group.payee === payee))
        throw invalid("notPayee", "Only a payee of the batch can let its credits repay it: sign with its account.", {
          batchId,
          signer: signing.signer,
        });
      const until = typeof deadline === "number" ? deadline : Math.floor(deadline.getTime() / 1000);
      const order = read({
        carepact: "refund-order",
        version: VERSION,
        ...{ chainId, escrow, batchId, payee },
        upTo: upTo.toString(),
        deadline: until,
        // Stands in its place, so that nobody is asked to sign what could not be read again.
        signature: "0x00",
      });
      return { ...order, signature: (await signing.sign(messageOf(order))).toLowerCase() };
    });
  } catch (thrown) {
    throw decodeError(thrown);
  }
}

/** @internal Has what a payee's order allows, and its credit covers, refunded. */
export function refundByOrder(
  connection: Connection,
  source: BatchSource,
  document: RefundOrder,
): Action<Returned, Returned> {
  return actionOf(
    connection,
    async () => {
      const batch = publicPartOf(source);
      const order = orderFor(batch, document);
      await requireInTime(connection, order);
      const { batchId, payee, upTo, deadline, signature } = order;
      const args = [
        batch.terms,
        batch.groups.map(packGroup),
        await paymentsOf(connection, batch),
        { payee, upTo: BigInt(upTo), deadline },
        signature,
      ] as const;
      return {
        to: connection.deployment.claimEscrow,
        data: escrowExtensionInterface.encodeFunctionData("refundByOrder", [...args]),
        preview: (returned: string) => ({
          batchId,
          amount: escrowExtensionInterface.decodeFunctionResult("refundByOrder", returned)[0] as bigint,
        }),
        result: (receipt) => ({ batchId, amount: amountIn(receipt, connection, "Refunded") }),
      };
    },
    { relayed: true },
  );
}

/** @throws REFUND_ORDER_INVALID, FILE_MALFORMED, FILE_WRONG_DOCUMENT, FILE_VERSION_UNSUPPORTED */
function orderFor(batch: PublicPart, document: RefundOrder): RefundOrder {
  requireHead(document, "refund-order", VERSION);
  const order = read(document);
  const isHere =
    order.chainId === batch.chainId &&
    order.escrow.toLowerCase() === batch.escrow.toLowerCase() &&
    order.batchId === batch.batchId;
  if (!isHere)
    throw invalid("otherBatch", "The order is for another batch, chain or escrow.", {
      ordered: order.batchId,
      batchId: batch.batchId,
    });
  const payee = order.payee.toLowerCase();
  if (!batch.groups.some((group) => group.payee.toLowerCase() === payee))
    throw invalid("notPayee", "The order is of somebody whom the batch does not pay.", { payee: order.payee });
  return order;
}

async function requireInTime({ runner }: Connection, { deadline }: RefundOrder): Promise<void> {
  const now = await chainTimeOf(providerOf(runner));
  if (now > deadline)
    throw invalid("expired", "The order has run out: ask the payee for a new one.", { deadline, now });
}

const invalid = (reason: string, message: string, details: Record<string, unknown>): CarepactError =>
  new CarepactError("REFUND_ORDER_INVALID", message, { reason, ...details });
