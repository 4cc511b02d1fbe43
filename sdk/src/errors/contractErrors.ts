/**
 * Every error of the contracts, by the contract that declares it, with what to tell the user who runs into it. Kept as text
 * rather than taken from the contracts' whole interfaces, which would weigh several times as much; a test compares it with
 * them. Under `""` are those that several contracts share, so that data alone does not say which of them refused.
 */
export const contractErrors: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ClaimEscrow: {
    "AccountInvalid(address account)": "This account cannot be paid: give another than the zero address or the escrow.",
    "AmountTooLarge(uint256 amount)": "The amount is larger than the protocol has room for.",
    "AmountZero()": "There is nothing to move: the amount is zero.",
    "ArbiterHasTime(uint256 resolveBy)": "The arbiter can still rule: wait for its ruling, or until its time is over.",
    "ArbiterMissing(bytes32 rulebook)": "The rulebook names no arbiter, so that nothing can be disputed under it.",
    "ArbiterTooLate(uint256 resolveBy)":
      "The arbiter's time is over: resolve the dispute by the default, as anyone may.",
    "AttestationExpired(uint256 validUntil)": "The attestation is no longer valid: ask the attesters for a new one.",
    "AttestationFromFuture(uint256 observedAt)":
      "The attestation was observed at a time that is still to come: check the attesters' clocks.",
    "AttestationTooLate(uint256 attestBy)": "The time for attestations has passed: what is open returns to the payer.",
    "AwardTooLarge(uint256 amount, uint256 award)": "The award is above the line's amount: award that much at most.",
    "BalanceOverflow(uint256 balance, uint256 added)": "The balance has no room for that much: use another token.",
    "BondNotCovered(address account, address token, uint256 available, uint256 bond)":
      "Free balance and credit do not cover the bond: deposit more, then dispute.",
    "ChallengePeriodOpen(uint256 until)":
      "What was presented can still be disputed: settle it when the challenge period is over.",
    "ChallengePeriodOver(uint256 until)":
      "The challenge period is over: what was presented cannot be disputed any more.",
    "ClaimBatchAlreadyFunded(bytes32 batchId)": "This batch was funded before; nothing was paid twice.",
    "ConditionNotMet(uint256 condition, uint256 required, uint256 given)":
      "Fewer attesters signed than a condition of the rulebook asks for.",
    "CreditTooSmall(address payee, address token, uint256 credit, uint256 asked)":
      "There is not that much credit to pay out: ask for less.",
    "DisputeAlreadyAttested(uint256 line)":
      "A result of this line is attested already: the arbiter, or the default, decides.",
    "DisputeOutsideTime(uint256 eventBy, uint256 attestBy)":
      "A missing result is disputed after the last moment of the care, and while it can still be attested.",
    "EventByOutOfRange(uint256 eventBy)": "The last moment of the event is past, or too far ahead.",
    "FreeBalanceTooSmall(address payer, address token, uint256 free, uint256 asked)":
      "The pool does not cover the batch: deposit more, or fund less.",
    "FundingSignatureExpired(uint256 deadline)": "The payer's signature has run out: ask for a new one.",
    "FundingSignatureInvalid(address payer)":
      "The signature is not the payer's, or the batch was changed after signing: ask for a new one.",
    "GroupCountOutOfRange(uint256 groups)": "The batch has no groups, or too many: split it.",
    "GroupInvalid(uint256 group)": "A group has no payee, no lines, or less than one base unit a line.",
    "GroupsDoNotSum(uint256 sum, uint256 total)": "The groups do not sum to the batch's total.",
    "GroupsNotAscending(uint256 group)": "Groups are out of order, or one payee has two: sort them by payee.",
    "LineInvalid(uint256 line)": "The group has no such line, or lines are out of order.",
    "LineNotDisputed(bytes32 batchId, uint256 line)": "The line is not in dispute: it never was, or that was decided.",
    "LineNotOpen(uint256 line)": "The line was settled or reversed before.",
    "LineNotPresented(uint256 line)":
      "What was presented does not hold this line: it was closed or disputed before, or is still open.",
    "LinesDoNotSum(uint256 group, uint256 sum, uint256 subtotal)":
      "The line amounts do not sum to the group's subtotal, so that its lines cannot settle one by one.",
    "LinesMismatch(uint256 group)": "The opened lines are of another group, or not one amount a line.",
    "LinesProofInvalid(bytes32 manifestRoot)": "The line amounts are not those of the batch: the file was changed.",
    "LookBackOpen(uint256 until)": "The look-back lasts: what is retained is released afterwards.",
    "LookBackOver(uint256 until)": "The look-back is over: what was retained is the payees', who can only refund it.",
    "ManifestProofMalformed()": "The proof of the opened lines is too short, too long or out of order.",
    "NoLines()": "No lines were named: name at least one.",
    "NotArbiter(address arbiter, address caller)": "Only the rulebook's arbiter may do this: sign with its account.",
    "NotAttester(address signer)":
      "A signature is not of an attester of the rulebook, or the attestation was changed after signing.",
    "NotForwarder(address caller)": "Only the Keystone forwarder brings reports of workflows.",
    "NotMandates(address caller)": "Only the mandates contract funds for operators: fund with a mandate.",
    "NotParty(address caller)":
      "Only the batch's payer and the line's payee may dispute it: sign with one of their accounts.",
    "NotPaused()": "The protocol is not paused.",
    "NotPayee(address payee, address caller)": "Only the group's own payee may do this: sign with its account.",
    "NotPayer(address payer, address caller)": "Only the batch's payer may do this: sign with its account.",
    "NotRegistry(address caller)": "Only the organization registry may tell standings.",
    "NotReported(bytes32 batchId)": "The rulebook's workflow did not report this statement last: settle with that one.",
    "NotRulebooks(address caller)": "Only the rulebooks contract may tell of rulebooks.",
    "PatientKeyUnknown(uint256 line)": "The batch commits to other keys for the patient of the line.",
    "PatientSignatureMissing(uint256 line)": "The rulebook asks for the yes of the line's patient.",
    "PauseTooSoon(uint256 from)": "The last pause is too short ago: try again later.",
    "PausedUntil(uint256 until)": "The protocol is paused; withdrawals and payouts still work. Try again later.",
    "PayeeSignatureMissing(uint256 group)": "The rulebook asks for the signature of the group's payee.",
    "PayerNotInStanding(address payer)": "The payer is not registered, or is suspended: ask the credentialing office.",
    "PaymentsMismatch(bytes32 batchId)": "More of the batch was paid in the meantime: prepare the refund anew.",
    "PresentationMismatch(bytes32 batchId, uint256 firstLine)":
      "What was presented settled, or was disputed, in the meantime: read anew what there is.",
    "PresentationNotAsked(bytes32 rulebook)": "Under this rulebook attestations settle at once: settle with them.",
    "ReclaimTooEarly(uint256 attestBy)": "The lines can still be attested: reclaim them later.",
    "ReclaimWhileStopped()": "Nothing can be reclaimed while settlement is stopped: try again later.",
    "RecoupTooLarge(uint256 retained, uint256 asked)":
      "Less is retained of this payment: recoup less, or ask the payee to refund.",
    "ReentrancyGuardReentrantCall()":
      "A contract called back into the escrow, which it may not: the token is not to be used.",
    "RefundOrderExpired(uint256 deadline)": "The refund order has run out: ask the payee for a new one.",
    "RefundOrderInvalid(address payee)":
      "The signature is not the payee's, or the order was changed after signing: ask for a new one.",
    "RefundTooLarge(uint256 received, uint256 refunded, uint256 asked)":
      "More than the payee received from the batch cannot be refunded.",
    "ReportFromFuture(uint256 observedAt)":
      "The report was observed at a time that is still to come: check the nodes' clocks.",
    "ReportMalformed()": "What was reported is no report of a workflow, or not by a Keystone forwarder.",
    "ResultPending(uint256 line)": "The attestation says nothing final about this line: bring one that does.",
    "RetentionMismatch(bytes32 batchId, uint256 firstLine)":
      "What is retained was released, or recouped of, in the meantime: read anew what there is.",
    "SafeERC20FailedOperation(address token)":
      "The token refused the transfer: check balance, approval, and whether the token takes part at all.",
    "SignatureCountWrong(uint256 required, uint256 length)":
      "The rulebook asks for another number of signatures, or to have attestations presented.",
    "SignatureInvalid(uint256 index)":
      "A signature is malformed, or not of the attester that it is said to be of: ask for a new one.",
    "SignatureNotAsked(uint256 index)":
      "A signature is not asked for, is there twice, or is out of order: leave it out.",
    "SignersNotAscending(address signer)": "Signatures repeat a signer, or are out of order.",
    "TokenDeliveredOther(address token, uint256 asked, uint256 delivered)":
      "The token did not deliver what it was asked for; tokens with a fee on transfer cannot be used.",
    "TooManyLines(uint256 lines)": "The batch has too many lines: split it.",
    "WorkflowForeign(bytes32 rulebook)": "The rulebook names another workflow than the one that reported, or none.",
  },
  Rulebooks: {
    "AttesterDidNotSign(uint256 index)": "One of the attestations was not signed by this attester as it stands.",
    "AttesterHonest(bytes attester)": "Nobody proved that this attester equivocated: prove it first.",
    "AttesterInvalid(uint256 index, bytes attester)":
      "An attester is neither an account, nor a key whose verifier is a contract, nor a role.",
    "AttesterNotNamed(bytes32 rulebook, bytes attester)": "The rulebook does not name this attester.",
    "AttestersNotAscending(uint256 index)": "Attesters are out of order, or one is named twice: sort them.",
    "EventKindsInvalid(uint256 eventKinds)": "The rulebook names no kind of event, or one that does not exist.",
    "GraceOutOfRange(uint256 grace)": "The grace is shorter or longer than allowed.",
    "LineUnknown(uint256 group, uint256 line)": "There is no such line in the group.",
    "NobodyAttests()": "Nobody but the patient would have to sign: add a condition for all amounts, or a workflow.",
    "NotSuspender(bytes32 rulebook, address caller)":
      "Only the rulebook's suspender may do this: sign with its account.",
    "ObservedAtDiffers(uint256 first, uint256 second)":
      "The attestations were observed at different times: what was true may have changed.",
    "ResultsAgree()": "The attestations say the same of the line, or one leaves it pending: nobody lied.",
    "RoleNotAlone(uint256 index)": "A role has to be the only attester of its condition.",
    "RulebookFieldInvalid(string field)":
      "A field on disputes or retention is out of its range, or lacks another: an arbiter, its deadline, a look-back.",
    "RulebookListenerAlreadySet(address listener)": "The listener is set once, and for good.",
    "RulebookListenerMissing()": "The deployment is not finished: rulebooks have no escrow to tell yet.",
    "RulebookNotSuspended(bytes32 rulebook)": "The rulebook is not suspended.",
    "ThresholdInvalid(uint256 threshold, uint256 attesters)":
      "The threshold is zero or above the number of attesters of its condition.",
    "TooManyAttesters(uint256 attesters)": "The rulebook names too many attesters.",
    "WorkflowIncomplete()": "Id, owner and name of the workflow have to be given together.",
  },
  Mandates: {
    "EscrowAlreadySet(address escrow)": "The escrow is set once, and for good.",
    "MandateAlreadyGiven(bytes32 mandateId)": "This mandate was given before: a new one needs another salt.",
    "MandateCapExceeded(bytes32 mandateId, uint256 left, uint256 asked)":
      "The batch exceeds what the mandate allows in this period: fund less, or wait for the next.",
    "MandateInvalid()":
      "The mandate misses an operator, token, cap, period or rulebook, or its payees are out of order.",
    "MandateMismatch(bytes32 mandateId)": "The mandate is of another payer, or for another token than the batch.",
    "MandateNotInForce(bytes32 mandateId)": "The mandate was never given, or was ended: ask the payer.",
    "MandateOutsideTime(bytes32 mandateId, uint256 start, uint256 end)": "The mandate does not hold at this time.",
    "MandatePayeeNotNamed(bytes32 mandateId, address payee)": "The mandate names neither this payee nor its kind.",
    "MandateRulebookNotNamed(bytes32 mandateId, bytes32 rulebook)": "The mandate does not name the batch's rulebook.",
    "NotMandatesOperator(address operator, address caller)":
      "The mandate is for another operator: sign with its account.",
    "NotMandatesPayer(address payer, address caller)":
      "Only the payer gives or ends its mandates: sign with its account.",
  },
  OrganizationRegistry: {
    "CliaInvalid(bytes10 clia)": "The CLIA number is not ten digits and capital letters.",
    "EndpointInvalid(string endpoint)": "The endpoint has to begin with https://.",
    "HpkeKeyNotCurrent(address account, bytes32 current)":
      "Only the organization itself changes its sealing key: update with the present one.",
    "NcpdpIdInvalid(uint256 ncpdpId)": "The NCPDP id is not seven digits.",
    "NpiInvalid(uint256 npi)": "The NPI is not ten digits with a valid check digit.",
    "NpiTaken(uint256 npi, address account)": "Another account holds this NPI: ask the credentialing office.",
    "OrganizationAccountZero()": "The zero address cannot be an organization.",
    "OrganizationAlreadyRegistered(address account)": "The account is registered already: update it instead.",
    "OrganizationKindsInvalid(uint256 kinds)": "The organization has no kind, or one that does not exist.",
    "OrganizationNameEmpty()": "The organization needs a name.",
    "OrganizationStatusWrong(address account, uint8 status)": "The organization is suspended, or is not, already.",
    "OrganizationUnknown(address account)": "The account is not registered: ask the credentialing office.",
    "StandingListenerWithoutCode(address listener)": "There is no contract to tell standings to at this address.",
  },
  ConsentRegistry: {
    "ControllerUsedBefore(bytes32 patient, bytes32 controllerHash)":
      "This key controls the record, or did before: choose a new key.",
    "EpochNotCurrent(bytes32 patient, uint256 current)":
      "All grants were revoked in the meantime: read the record's epoch, and sign anew if more is to be revoked.",
    "MergeTooDeep(bytes32 from, bytes32 into)":
      "Too many records were merged one into the other: merge into the last of them.",
    "MergeWithItself(bytes32 patient)": "A record cannot be merged into itself: name two records.",
    "NotRecovery(address caller)": "Only the recovery contract recovers records: begin a recovery there.",
    "PatientAlreadyRegistered(bytes32 patient)":
      "The record is registered already, with this key: use it, or register another with a new salt.",
    "RecoveryAlreadySet(address recovery)": "The recovery contract is set once, and for good.",
    "RecoveryWithoutCode(address recovery)": "There is no contract to recover records at this address.",
  },
  PatientRecovery: {
    "ContactCountInvalid(uint256 count)": "There have to be 1 to 16 recovery contacts: name so many.",
    "ContactInvalid(uint256 index)": "A contact is no account and no key: give at least the 20 bytes of an address.",
    "ContactSignaturesNotAscending(uint256 contact)":
      "Contacts' signatures are out of order, repeat one, or name one that does not exist: sort them by contact.",
    "ContactSignaturesTooFew(uint256 needed, uint256 given)":
      "Not enough contacts signed: collect as many signatures as are needed.",
    "ContactsChangeMissing(bytes32 patient)": "No change of contacts is under way: there is nothing to cancel.",
    "ContactsMismatch(bytes32 patient, bytes32 contactsHash)":
      "These are not the patient's recovery contacts, or there are none: bring the document that holds now.",
    "ContactsNotAscending(uint256 index)":
      "Contacts are out of order, or one is named twice: sort them by their keccak256.",
    "ContactsNotCurrent(bytes32 patient, bytes32 current)":
      "The contacts were changed in the meantime: read those that hold now, and sign anew.",
    "RecoveryDelayInvalid(uint256 delay)": "The delay of a recovery is shorter or longer than allowed.",
    "RecoveryInProgress(bytes32 patient, uint256 number)":
      "Another recovery is under way, or was vetoed: wait until it is carried out or lapses.",
    "RecoveryLapsed(bytes32 patient, uint256 lapsedAt)":
      "The recovery was not carried out in time: begin another with new signatures.",
    "RecoveryNotReady(bytes32 patient, uint256 readyAt)":
      "The controller can still veto the recovery: carry it out later.",
    "RecoveryPhaseWrong(bytes32 patient, uint8 phase)":
      "The recovery is not at a point where this can be done: read where it stands.",
    "RecoveryThresholdInvalid(uint256 threshold, uint256 contacts)":
      "The threshold has to lie between one and the number of contacts.",
  },
  AccessLog: {
    "NotGateway(address account)":
      "The account is not registered as a gateway: sign with the gateway's, or ask the credentialing office.",
    "RootZero()": "A root of zero commits to nothing: take the root of the log's tree.",
    "SequenceNotNext(address gateway, uint256 next)":
      "Another root was anchored in the meantime, or this one was: read the log, and go on from there.",
  },
  AccessManager: {
    "AccessManagerAlreadyScheduled(bytes32 operationId)": "This operation is scheduled already: execute or cancel it.",
    "AccessManagerBadConfirmation()": "A role is renounced by its own holder only: confirm with that account.",
    "AccessManagerExpired(bytes32 operationId)": "The scheduled operation has run out: schedule it anew.",
    "AccessManagerInvalidInitialAdmin(address initialAdmin)": "The zero address cannot be the first administrator.",
    "AccessManagerLockedFunction(bytes4 selector)": "The permission of this function cannot be changed.",
    "AccessManagerLockedRole(uint64 roleId)": "This role cannot be changed.",
    "AccessManagerNotReady(bytes32 operationId)":
      "The delay of the scheduled operation has not passed: try again later.",
    "AccessManagerNotScheduled(bytes32 operationId)": "The operation has to be scheduled first.",
    "AccessManagerUnauthorizedAccount(address msgsender, uint64 roleId)":
      "The account does not have the role that this needs.",
    "AccessManagerUnauthorizedCall(address caller, address target, bytes4 selector)":
      "The account has no role that allows this call.",
    "AccessManagerUnauthorizedCancel(address msgsender, address caller, address target, bytes4 selector)":
      "Only who scheduled the operation, an administrator or a guardian may cancel it.",
    "AccessManagerUnauthorizedConsume(address target)": "Only the contract itself uses up its scheduled operations.",
    "InsufficientBalance(uint256 balance, uint256 needed)": "The access manager holds less than the call is to send.",
    "SafeCastOverflowedUintDowncast(uint8 bits, uint256 value)":
      "A delay or time is larger than the contract has room for.",
  },
  "ERC-20 token": {
    "ECDSAInvalidSignature()": "The permit's signature is invalid: sign it anew.",
    "ECDSAInvalidSignatureLength(uint256 length)": "The permit's signature has a wrong length: sign it anew.",
    "ECDSAInvalidSignatureS(bytes32 s)": "The permit's signature is not in canonical form: sign it anew.",
    "ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed)":
      "The escrow may not take that much: approve it first.",
    "ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed)":
      "There are not enough tokens in the account.",
    "ERC20InvalidApprover(address approver)": "This account cannot approve.",
    "ERC20InvalidReceiver(address receiver)": "This account cannot receive the token.",
    "ERC20InvalidSender(address sender)": "This account cannot send the token.",
    "ERC20InvalidSpender(address spender)": "This account cannot be approved.",
    "ERC2612ExpiredSignature(uint256 deadline)": "The permit has run out: sign a new one.",
    "ERC2612InvalidSigner(address signer, address owner)":
      "The permit is not signed by the owner, or was used already: sign a new one.",
    "InvalidAccountNonce(address account, uint256 currentNonce)": "The permit was used already: sign a new one.",
    "InvalidShortString()": "The token's name or version cannot be read.",
    "StringTooLong(string str)": "The token's name or version is too long.",
  },
  "": {
    "AccessManagedInvalidAuthority(address authority)": "There is no access manager at this address.",
    "AccessManagedRequiredDelay(address caller, uint32 delay)":
      "The account may do this only after a delay: schedule it with the access manager first.",
    "AccessManagedUnauthorized(address caller)": "This account has no role that allows it.",
    "AddressEmptyCode(address target)": "There is no contract at this address.",
    "AuthorizationExpired(uint256 deadline)": "The patient's signature has run out: ask for a new one.",
    "AuthorizationInvalid(bytes signer)":
      "The signature is another key's, or for another action or a state that is past: sign anew.",
    "ClaimBatchUnknown(bytes32 batchId)": "No such batch was funded in this escrow on this chain.",
    "ERC1967InvalidImplementation(address implementation)": "There is no implementation at this address.",
    "ERC1967NonPayable()": "This takes no ether.",
    "ERC1967ProxyUninitialized()": "The proxy has to be initialized as it is deployed.",
    "FailedCall()": "A contract that was called failed without a reason.",
    "GroupsMismatch(bytes32 expected, bytes32 given)": "The groups are not those of the batch: the file was changed.",
    "HpkeKeyUnchanged(bytes32 hpkeKey)": "This is the sealing key that holds already: generate another.",
    "HpkeKeyZero()": "A sealing key of zero opens nothing: generate one.",
    "InvalidInitialization()": "The contract is initialized already.",
    "NotController(bytes32 patient, bytes32 signerHash)":
      "Only the key that controls the patient's record may do this: sign with it.",
    "NotInitializing()": "This is possible only while the contract is initialized.",
    "PartialAmountInvalid(uint256 group, uint256 line)":
      "A partly met line needs an amount above zero and below the line's own.",
    "PatientNotActive(bytes32 patient, uint8 status)":
      "The record is deactivated, or merged into another: use that one.",
    "PatientUnknown(bytes32 patient)": "No patient of this id is registered here on this chain.",
    "ResultsMalformed()": "The results do not fit the groups of the batch.",
    "RulebookIsSuspended(bytes32 rulebook)": "The rulebook is suspended: its deadlines stand still until it resumes.",
    "RulebookUnknown(bytes32 rulebook)": "The rulebook was not published here.",
    "UUPSUnauthorizedCallContext()": "An upgrade is asked of the proxy, not of the implementation.",
    "UUPSUnsupportedProxiableUUID(bytes32 slot)": "This implementation is not one to upgrade to.",
  },
};
