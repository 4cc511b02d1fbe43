import {
  AccessLog__factory,
  AccessManager__factory,
  ClaimEscrow__factory,
  ClaimEscrowExtension__factory,
  ConsentRegistry__factory,
  ERC20Permit__factory,
  Mandates__factory,
  OrganizationRegistry__factory,
  PatientRecovery__factory,
  Rulebooks__factory,
} from "../generated";

// ABIs with literal types, for viem, wagmi, abitype and indexers. Errors are in them, inherited ones too.

/** Roots of the gateways' access logs. */
export const accessLogAbi = AccessLog__factory.abi;
/** OpenZeppelin's AccessManager: who may call what, and after which delay. */
export const accessManagerAbi = AccessManager__factory.abi;
/** Pools, claim batches, settlement. */
export const claimEscrowAbi = ClaimEscrow__factory.abi;
/** Presentations, disputes, retentions, refund orders, reports of workflows: more functions at the escrow's address. */
export const claimEscrowExtensionAbi = ClaimEscrowExtension__factory.abi;
/** Patients, their grants and restrictions, and whether a request is permitted. */
export const consentRegistryAbi = ConsentRegistry__factory.abi;
/** Mandates of payers for operators. */
export const mandatesAbi = Mandates__factory.abi;
/** The directory of organizations. */
export const organizationRegistryAbi = OrganizationRegistry__factory.abi;
/** Recovery contacts of patients. */
export const patientRecoveryAbi = PatientRecovery__factory.abi;
/** Rulebooks. */
export const rulebooksAbi = Rulebooks__factory.abi;
/** An ERC-20 token with metadata, ERC-2612 permits and the errors of ERC-6093. */
export const tokenAbi = ERC20Permit__factory.abi;
