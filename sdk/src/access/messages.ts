import type { TypedDataField } from "ethers";

import type { Deployment } from "../chain/deployment";
import type { TypedMessage } from "../signers";

/** Under which contract messages are signed. */
export type LogRef = Pick<Deployment, "chainId" | "accessLog">;

/** EIP-712 types of what is signed about accesses, all off chain. */
export const accessTypes = {
  AccessReceipt: [
    { name: "gateway", type: "address" },
    { name: "place", type: "bytes32" },
    { name: "at", type: "uint40" },
    { name: "entryHash", type: "bytes32" },
  ],
  AccessReview: [
    { name: "gateway", type: "address" },
    { name: "of", type: "bytes32" },
    { name: "justified", type: "bool" },
    { name: "text", type: "string" },
  ],
  AccessHistory: [
    { name: "gateway", type: "address" },
    { name: "patient", type: "bytes32" },
    { name: "at", type: "uint40" },
    { name: "content", type: "bytes32" },
  ],
} satisfies Record<string, TypedDataField[]>;

const messageOf = (
  { chainId, accessLog }: LogRef,
  type: keyof typeof accessTypes,
  message: Record<string, unknown>,
): TypedMessage => ({
  domain: { name: "Carepact AccessLog", version: "1", chainId, verifyingContract: accessLog },
  types: { [type]: accessTypes[type] },
  message,
});

/** What a gateway says by a receipt: it noted this entry, at this place, at this time. */
export interface ReceiptTerms {
  gateway: string;
  /** See {@link placeOf}. */
  place: string;
  /** Unix seconds. */
  at: number;
  entryHash: string;
}

export const receiptMessage = (ref: LogRef, { gateway, place, at, entryHash }: ReceiptTerms): TypedMessage =>
  messageOf(ref, "AccessReceipt", { gateway, place, at, entryHash });

/** What a reviewer signs about an access in an emergency. */
export interface ReviewTerms {
  gateway: string;
  /** Entry hash of the access. */
  of: string;
  justified: boolean;
  text: string;
}

export const reviewMessage = (ref: LogRef, { gateway, of, justified, text }: ReviewTerms): TypedMessage =>
  messageOf(ref, "AccessReview", { gateway, of, justified, text });

/** What a gateway says by a history: this is all it has. `content` is keccak256 of its canonical JSON, unsigned. */
export interface HistoryTerms {
  gateway: string;
  patient: string;
  /** Unix seconds. */
  at: number;
  content: string;
}

export const historyMessage = (ref: LogRef, { gateway, patient, at, content }: HistoryTerms): TypedMessage =>
  messageOf(ref, "AccessHistory", { gateway, patient, at, content });
