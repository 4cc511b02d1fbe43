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

/** Interfaces of the contracts, made once. */
export const accessManagerInterface = /* @__PURE__ */ AccessManager__factory.createInterface();
export const escrowInterface = /* @__PURE__ */ ClaimEscrow__factory.createInterface();
/** Of the escrow's other part, at its own address. */
export const escrowExtensionInterface = /* @__PURE__ */ ClaimEscrowExtension__factory.createInterface();
export const rulebooksInterface = /* @__PURE__ */ Rulebooks__factory.createInterface();
export const mandatesInterface = /* @__PURE__ */ Mandates__factory.createInterface();
export const registryInterface = /* @__PURE__ */ OrganizationRegistry__factory.createInterface();
export const consentRegistryInterface = /* @__PURE__ */ ConsentRegistry__factory.createInterface();
export const patientRecoveryInterface = /* @__PURE__ */ PatientRecovery__factory.createInterface();
export const accessLogInterface = /* @__PURE__ */ AccessLog__factory.createInterface();
export const tokenInterface = /* @__PURE__ */ ERC20Permit__factory.createInterface();
