/**
 * Every code a {@link CarepactError} can carry, with what it means. Codes are stable: programs branch on them, messages
 * may change. The values are documentation for people.
 */
export const errorCodes = {
  // Amounts
  AMOUNT_INVALID: "Not an amount: expected a plain decimal such as 90.00, without exponent, sign or spaces.",
  AMOUNT_NEGATIVE: "An amount below zero where only zero or more has a meaning.",
  AMOUNT_UNSAFE: "A JSON number with more digits than a double holds exactly: send it as a decimal string.",
  AMOUNT_TOO_PRECISE: "More decimal places than the currency or token has.",
  AMOUNT_TOO_LARGE: "An amount the protocol has no room for.",
  CURRENCY_MISMATCH: "Amounts of different currencies in one claim or batch, or another currency than asked for.",

  // Claims as they come in
  INPUT_INVALID: "The input does not have the shape its schema asks for; details.path names the element.",
  CLAIM_NOT_FUNDABLE:
    "The claim is well formed, but what it is (a draft, a preauthorization, a rejection) is never paid.",
  CLAIM_TOTAL_MISMATCH: "The claim's stated total differs from the sum of its items.",
  CLAIM_NET_MISMATCH: "A net differs from quantity x unit price x factor, or from the sum of its details.",
  CLAIM_DOES_NOT_BALANCE: "The payer's decision does not balance: details.equation names the sum that fails.",
  PAYMENT_DOES_NOT_BALANCE:
    "What a payment says it is made of does not sum to it: details.equation names the sum that fails.",
  CLAIM_DUPLICATE_LINE: "The same event, or the same line of a claim, appears twice.",
  COORDINATION_INVALID:
    "The answers are not those of several payers to one claim, in order; details.path names what does not fit.",
  COORDINATION_UNSETTLED:
    "How a line ended is not known yet: it is open, presented or in dispute, or a refund names no line.",
  REVERSAL_OUT_OF_ORDER:
    "A later payer still has money in the event: take that back first; details.first says whose, details.verb how.",
  REPLACED_LINE_HOLDS_MONEY: "The line that is billed anew was not reversed or refunded.",
  FILLS_EXCEED_QUANTITY: "The parts of a fill come to what was billed or more: nothing is left to complete.",
  CLAIM_DECISION_MISMATCH: "The decision does not answer exactly the lines of the claim.",
  IDENTIFIER_INVALID: "An identifier (NPI, CLIA, address, key) fails its format or check digit.",
  PAYEE_UNKNOWN: "No account is known for this payee.",
  TOKEN_UNREADABLE: "The address does not answer as an ERC-20 token.",
  PAYEE_KEY_MISSING: "No encryption key is known for this payee, so its part of the file cannot be sealed.",

  // Claim batches and their files
  BATCH_EMPTY: "Nothing in the batch is payable.",
  BATCH_TOO_LARGE: "The batch does not fit one transaction: split it.",
  BATCH_TERMS_INVALID: "A term of the batch is out of its range.",
  GROUPS_INVALID: "Groups out of order, repeated, or without lines or amount.",
  GROUPS_DO_NOT_SUM:
    "The subtotals of the groups do not sum to the total, or the amounts of a group not to its subtotal.",
  FILE_TOO_BIG: "The document is larger than the limit given.",
  FILE_MALFORMED: "The text is not JSON, or not a document of the schema.",
  FILE_WRONG_DOCUMENT: "The document is of another kind than the one asked for.",
  FILE_VERSION_UNSUPPORTED: "The document was made by a newer version: update the SDK.",
  FILE_TAMPERED: "Part of the document is not what the batch commits to; details.path names it.",
  FILE_NOT_FOR_PAYEE: "The file holds no part for this payee.",
  PATIENT_SIGNER_MISSING: "The rulebook asks for the patient's yes, and no key of the patient is known for a line.",
  PATIENT_KEY_REUSED: "A patient's key is one of two claims: it would show that both are of one patient.",
  SEALED_UNREADABLE: "The sealed part does not open: wrong private key, or the part was changed.",
  KEY_INVALID: "Not an X25519 key of 32 bytes.",

  // Results and attestations
  RESULTS_MALFORMED: "The results do not fit the groups of the batch.",
  PARTIAL_AMOUNT_INVALID: "A partly met line needs an amount above zero and below the line's own.",
  EVENT_INVALID: "The FHIR resource cannot be read as an event.",
  EVENT_ALREADY_ATTESTED:
    "This attester attested the event as paid before, in another line; details.conflicts says where. Nothing was signed.",
  OBSERVED_AT_TAKEN:
    "This attester signed other results of the batch as observed at that time or later; details.least says from when on. Nothing was signed.",
  EVENT_NOT_OPENED: "The results pay for lines that are not open, so that their events cannot be compared.",
  LEDGER_UNREADABLE:
    "The ledger cannot be used; details.reason: missing, notALedger, secret, version, damaged or closed.",
  ATTESTATION_WRONG_BATCH: "The attestation is for another batch, chain or escrow, or was changed after signing.",
  ATTESTATION_EXPIRED: "The attestation is no longer valid, or the time for attestations has passed.",
  ATTESTATION_SIGNER_UNKNOWN: "The signer is not an attester of the batch's rulebook.",
  ATTESTATION_TOO_FEW:
    "Fewer attesters, payees or patients signed the same statement than the rulebook asks for; details.missing says who.",
  ATTESTATION_NOT_REPORTED: "The rulebook's workflow did not report this statement, or reported another since.",
  PRESENTATION_NEEDED:
    "Under the batch's rulebook attestations do not settle as they are: present them, or deal with the batch by itself.",
  PRESENTATION_NOT_NEEDED: "The batch's rulebook has no challenge period: attestations settle at once.",
  PRESENTATION_UNKNOWN:
    "Nothing that is presented holds this line; details.presented lists the first lines of what is.",
  LINE_NOT_PRESENTED: "No result of the line is presented that could be disputed.",
  RETENTION_UNKNOWN: "Nothing is retained by this first line, or not of this payee.",
  REFUND_ORDER_INVALID: "Not a refund order to go by; details.reason: otherBatch, notPayee or expired.",
  RULEBOOK_INVALID: "Not a rulebook that can be published; details.path and details.reason say why.",
  EQUIVOCATION_NOT_SHOWN: "The attestations do not prove that their attester equivocated; details.reason says why.",
  PICKUP_REQUEST_INVALID:
    "A request to confirm a pick-up, or the answer to it, is not to be gone by; details.reason: malformed, tooLarge, otherEscrow, otherBatch, otherLines, otherKey, otherStatement, expired or future.",

  // Patients and consent
  SIGNATURE_INVALID: "What was signed with gave no signature of this key that the contracts take.",
  AUTHORIZATION_EXPIRED: "The deadline of what is signed has passed by the chain's clock.",
  PASSKEY_UNAVAILABLE:
    "No passkey that the contracts can check: that takes a secure page, P-256 (ES256) and user verification.",
  PATIENT_UNKNOWN: "No patient of this id is registered here.",
  PATIENT_ALREADY_REGISTERED: "This key registered a patient with this salt before; details.patient is its id.",
  PATIENT_NOT_ACTIVE: "The record was deactivated or merged; details.mergedInto names the one that it was merged into.",
  NOT_CONTROLLER: "The key that would sign does not control the record.",
  CONTROLLER_USED_BEFORE: "This key controls the record, or did before: a key that was given up does not come back.",
  CONTACTS_INVALID:
    "Not recovery contacts: 1 to 16 keys, each once, a threshold among them, and a delay of 3 to 90 days.",
  CONTACTS_MISMATCH: "These are not the recovery contacts that count; details.contactsHash is the hash of those.",
  CONTACTS_CHANGE_MISSING: "No change of recovery contacts is under way.",
  CONTACT_UNKNOWN: "The key that would sign is none of the recovery contacts.",
  CONTACT_SIGNATURES_TOO_FEW: "Fewer recovery contacts signed than it takes; details.needed says how many.",
  RECOVERY_PHASE_WRONG: "The recovery is not where this is possible: details.phase, details.readyAt, details.lapsesAt.",
  MINOR_RULES_INVALID: "Not rules about minors; details.path names the element.",
  PATIENT_OF_AGE: "By the rules given the patient is no minor any more.",
  MANDATE_TOO_WIDE:
    "The mandate goes beyond what the rules let a minor's representative have; details.path says where.",
  ORGANIZATION_NOT_IN_STANDING: "The organization is not registered, or suspended.",
  CODE_UNKNOWN: "Not a code of the list that it should come from; details.list names the list.",
  GRANT_MALFORMED: "Not a grant: a field is missing, out of its range, or of another shape than its schema asks for.",
  GRANT_WOULD_BE_REFUSED:
    "The registry would refuse this for the reason that details.reason names, so that it is not worth a signature.",
  GRANT_WRONG_REGISTRY: "The grant was signed for another chain or consent registry.",
  MANDATE_MALFORMED:
    "Not a representative's mandate: a field is missing, out of its range, or of another shape than it has to be.",
  CONSENT_INVALID: "The FHIR Consent breaks a rule of FHIR R4; details.path names the element.",
  CONSENT_NOT_EXPRESSIBLE:
    "The FHIR Consent says something that grants and restrictions cannot; details.path names it.",
  CONSENT_ACTOR_UNKNOWN: "No account is known for somebody whom the FHIR Consent names; details.path says where.",
  AUDIT_EVENT_INVALID: "The FHIR AuditEvent breaks a rule of FHIR R4; details.path names the element.",
  AUDIT_EVENT_NOT_EXPRESSIBLE: "The FHIR AuditEvent is no entry of an access log; details.path names the element.",
  ACCESS_ENTRY_MALFORMED: "Not an entry of an access log; details.path names the field.",
  ACCESS_NOT_LOGGED: "The attempt could not be noted: nothing may be given out.",
  ACCESS_HISTORY_MALFORMED: "Not an access history, or of another patient, gateway or reader; details.path says where.",
  ACCESS_RECEIPT_INVALID: "Not a receipt against which to release anything; details.path names what is wrong.",
  ACCESS_PROOF_INVALID: "The proof does not show that a gateway anchored this entry.",
  ACCESS_REVIEW_INVALID: "Not a review that the gateway may note; details.path names what is wrong.",
  ACCESS_LOG_INCONSISTENT: "The gateway's store does not fit what it anchored, or lost entries.",
  PATIENT_KEY_MISSING: "No encryption key is known for this patient: it is not registered.",

  // Remittances and payouts
  REMITTANCE_BATCH_MISSING:
    "Money moved in the period in batches that are not at hand; details.batchIds names them. Nothing is remitted.",
  REMITTANCE_MISMATCH:
    "What the lines of a batch come to is not what the escrow reported; details name batch, transaction and both amounts.",
  REMITTANCE_UNBACKED: "A reversal asks for more than the payee returned, or agreed by a refund order to return.",
  REMITTANCE_PARTY_INCOMPLETE: "Payer or payee lacks an identifier that an 835 needs; details.path names it.",
  PAYOUT_UNEXPLAINED: "A payout is more than the events before it credited: the node's events are not all there.",

  // X12 files
  X12_AMOUNT_INVALID:
    "Not an amount of X12, or with more decimal places than its currency has; details.element names where it stands.",
  X12_CHARACTER_INVALID: "A character that X12 has no place for, or that separates elsewhere in the same file.",
  X12_CODE_LIST_INVALID: "Not a code list: a column is missing, a row is cut off, or a code appears twice.",
  X12_CONTROL_NUMBER_INVALID: "A trailer repeats another control number than its head, or a number is used twice.",
  X12_COUNT_MISMATCH: "SE01, GE01 or IEA01 differs from what was counted: details.stated, details.counted.",
  X12_DELIMITERS_INVALID: "The four separators are not four different characters that nothing else is written with.",
  X12_DOES_NOT_BALANCE: "A sum of the transaction set fails: details.equation, details.stated, details.computed.",
  X12_ELEMENT_INVALID: "An element is missing, or not of the form that the guide asks for; details.element names it.",
  X12_ENVELOPE_INVALID: "ISA, GS and ST are not where they have to be, or one of their elements is not of its form.",
  X12_HIERARCHY_INVALID: "The HL segments of an 837 do not number or nest as they have to.",
  X12_SEGMENT_MISSING: "The guide asks for a segment that is not there; details.missing names it.",
  X12_SEGMENT_UNEXPECTED: "A segment stands where the guide has no place for it.",
  X12_TOO_LARGE: "The input, or a segment of it, is larger than the limits given.",
  X12_TRUNCATED: "The input ends before what it began is complete.",
  X12_VERSION_UNSUPPORTED: "Another kind or version of transaction set than this reads; details.version has GS08.",

  // Working with a chain
  RUNNER_CANNOT_SIGN: "The connection can only read, or its wallet allows nothing yet: connect with a signer.",
  RUNNER_CANNOT_READ: "The signer is not connected to a provider.",
  CHAIN_MISMATCH: "The wallet or node is on another chain than the deployment or transaction: switch the network.",
  CONTRACT_MISSING: "There is no such contract at this address on this chain.",
  CONTRACT_REVERTED: "A contract refused: name is its error, args are the arguments, message says what to do.",
  TRANSACTION_FAILED: "The call failed, or the transaction was not sent or not mined, for a reason without a code.",
  TRANSACTION_REPLACED:
    "Another transaction took this one's place, details.replacedBy: it was cancelled in the wallet.",
  ALREADY_SENT: "The node has this very transaction already: wait for it, and do not send it again.",
  NONCE_CONFLICT:
    "Another transaction has this nonce, or one before it is missing: wait for the others, then try again.",
  FEE_TOO_LOW: "The fee is below what the network takes now: raise it, or leave it to the wallet.",
  OUT_OF_GAS: "The gas limit does not suffice: raise it, or leave it to the wallet.",
  GAS_LIMIT_TOO_HIGH: "The gas limit is above what a transaction or block may use: lower it, or split the batch.",
  GAS_FUNDS_MISSING: "The account cannot pay for gas.",
  CURSOR_INVALID: "The cursor was changed, or is of another query, chain or version.",
  CHAIN_REORGED: "Events that were read before were taken back by a reorganization of the chain.",
  REORG_TOO_DEEP: "A reorganization took back more blocks than are looked after: begin anew without a cursor.",
  NODE_INCONSISTENT: "The node's answers do not fit together, or it lags behind what it said before.",
  USER_REJECTED: "The signature was refused in the wallet.",
  NODE_UNREACHABLE: "The node does not answer: look at the connection, or use another node.",
  RATE_LIMITED: "The node takes no more requests for now: wait, or ask less often.",
  ABORTED: "The call was aborted by its signal.",
  TIMED_OUT: "The call took longer than it was given.",
} as const;

/** Code of a {@link CarepactError}. */
export type ErrorCode = keyof typeof errorCodes;
