import { Interface, dataLength, dataSlice, keccak256, recoverAddress, type Provider } from "ethers";

import { askNow } from "../chain/ask";
import { decodeError } from "../chain/decodeError";
import type { Connection } from "../chain/deployment";
import { isCarepactError } from "../errors";
import type { PatientRecord } from "../patients/record";

import { tamperedWith } from "./file/document";
import { controllersDocumentOf, NO_MANDATE, type OpenedGrant } from "./file/signedGrant";
import { ask, registryOf } from "./registry";

const ACCOUNT_BYTES = 20;
const verifier = /* @__PURE__ */ new Interface(["function verify(bytes, bytes32, bytes) view returns (bytes4)"]);
const MAGIC = "0x024ad318";

/**
 * @internal Whether a key certainly did not sign: what a key says, it says for ever. A wallet contract may answer otherwise
 * than when it signed, and so is not asked.
 */
async function isForged(provider: Provider, signer: string, digest: string, signature: string): Promise<boolean> {
  const account = dataSlice(signer, 0, ACCOUNT_BYTES);
  const isAccount = dataLength(signer) === ACCOUNT_BYTES;
  const hasCode = (await provider.getCode(account)) !== "0x";
  if (isAccount && hasCode) return false;
  try {
    if (isAccount) return recoverAddress(digest, signature).toLowerCase() !== account;
    const args = [dataSlice(signer, ACCOUNT_BYTES), digest, signature];
    return !hasCode || (await askNow(provider, { to: account, abi: verifier }, "verify", args))[0] !== MAGIC;
  } catch (thrown) {
    const error = decodeError(thrown);
    // That the node did not answer says nothing about the signature.
    if (isCarepactError(error, "NODE_UNREACHABLE") || isCarepactError(error, "RATE_LIMITED")) throw error;
    return true;
  }
}

/**
 * @internal Refuses a file that is not what was signed for the record. A grantee that gives the patient a copy with another
 * number would else see that one revoked, and keep its grant.
 * @throws FILE_TAMPERED
 */
export async function requireGenuine(
  provider: Provider,
  connection: Connection,
  opened: OpenedGrant,
  record: PatientRecord,
): Promise<void> {
  const { chain, documents } = opened;
  const { mandate, signer, signature } = chain;
  const isMandated = mandate.signer !== NO_MANDATE.signer;
  const controller = isMandated ? mandate.signer : signer;
  const must = (holds: boolean): void => {
    if (!holds) throw tamperedWith("$.grant", "is not what was signed: nothing of it tells what to take back");
  };
  must(!isMandated || mandate.mandate.representative === keccak256(signer));
  const controllerHash = keccak256(controller);
  if (controllerHash !== record.controllerHash) {
    const args = [record.patient, controllerHash];
    const [endedAt] = await ask(provider, registryOf(connection), "controllerEndOf", args);
    must(endedAt !== 0n);
  }
  const byController = controllersDocumentOf(opened);
  must(!(await isForged(provider, controller, byController.document, byController.signature)));
  if (isMandated) must(!(await isForged(provider, signer, documents[0], signature)));
}
