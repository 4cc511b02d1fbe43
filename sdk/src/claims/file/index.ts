export {
  buildClaimBatch,
  sealClaimBatchRecord,
  type BuiltClaimBatch,
  type ClaimBatchInput,
  type PayeeKey,
} from "./build";
export type { AmountName, LineDetail, LineDetailJson } from "./detail";
export {
  CLAIM_BATCH_FILE_VERSION,
  MAX_FILE_BYTES,
  parseClaimBatchFile,
  parseClaimBatchRecord,
  type ClaimBatchFile,
  type ClaimBatchPart,
  type ClaimBatchRecord,
  type PartLineJson,
  type PublicPartJson,
  type SealedPartJson,
} from "./document";
export {
  fileForPayee,
  openClaimBatchFile,
  openClaimBatchPart,
  openClaimBatchRecord,
  openedLinesOf,
  resultShapeOf,
  unsealClaimBatchPart,
  verifyClaimBatchFile,
  type OpenedGroup,
  type OpenedLine,
  type OpenedRecord,
} from "./open";
export { patientLeafOf, verifyPatientKey, type PatientKey } from "./patientKeys";
export type { PublicPart } from "./publicPart";
