import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import type { ContractCallFuture, Future } from "@nomicfoundation/ignition-core";
import { id, ZeroAddress } from "ethers";

import { roles } from "./roles";

type ModuleBuilder = Parameters<Parameters<typeof buildModule>[1]>[0];
type ContractArguments = Parameters<ModuleBuilder["contract"]>[2] & unknown[];
type InitializerArguments = NonNullable<Parameters<ModuleBuilder["encodeFunctionCall"]>[2]>;

/**
 * The whole system: access manager, registries, escrow, the links between them, and who may call what.
 *
 * Parameters: `governance`: the AccessManager's admin, who grants roles; it has to be given, and another account than the deployer,
 * who ends without power. `upgrader`, `pauser`, `credentialing`: accounts of these roles, the deployer unless given. `delay`:
 * seconds that an upgrade, and whatever the admin does, waits: 14 days unless given. `forwarder`: Chainlink's Keystone forwarder, whose
 * reports are taken; nobody's unless given.
 *
 * All contracts are created in layers, each complete before the next begins, and before the first call. So an address depends on
 * nothing but the deployer and its first nonce, however often the deployment was interrupted and resumed.
 */
export default buildModule("Carepact", (m) => {
  const deployer = m.getAccount(0);
  const accessManager = m.contract("AccessManager", [deployer]);
  // In its layer Ignition orders by name, and the deployment is known by its first transaction: that is the access manager's.
  const after = [accessManager];
  // Created before the escrow, which keeps its address in its code.
  const extension = m.contract("ClaimEscrowExtension", [], { after });
  const implementationOf = (name: string, args: ContractArguments = []) =>
    m.contract(name, args, { id: `${name}Implementation`, after: [extension] });
  const implementations = {
    OrganizationRegistry: implementationOf("OrganizationRegistry"),
    Rulebooks: implementationOf("Rulebooks"),
    Mandates: implementationOf("Mandates"),
    ClaimEscrow: implementationOf("ClaimEscrow", [extension]),
    ConsentRegistry: implementationOf("ConsentRegistry"),
    PatientRecovery: implementationOf("PatientRecovery"),
    AccessLog: implementationOf("AccessLog"),
  };
  // The address of a verifier is part of every key that it verifies for: one that could be upgraded could take any record.
  const p256Verifier = m.contract("ERC7913P256Verifier", [], { after: [extension] });
  const webAuthnVerifier = m.contract("ERC7913WebAuthnVerifier", [], { after: [extension] });
  const webAuthnOriginVerifier = m.contract("WebAuthnOriginVerifier", [], { after: [extension] });
  const first = [...Object.values(implementations), p256Verifier, webAuthnVerifier, webAuthnOriginVerifier];

  /** A proxy that is initialized as it is created, and the implementation's interface at the proxy's address. */
  const proxied = (name: keyof typeof implementations, args: InitializerArguments, after: Future[]) => {
    // Encoding is a step too: of two proxies of a layer, one whose step had been done by an interrupted run would overtake the other.
    const initialize = m.encodeFunctionCall(implementations[name], "initialize", args, { after });
    const proxy = m.contract("ERC1967Proxy", [implementations[name], initialize], { id: `${name}Proxy`, after });
    return m.contractAt(name, proxy, { id: name });
  };
  const organizationRegistry = proxied("OrganizationRegistry", [accessManager], first);
  const rulebooks = proxied("Rulebooks", [accessManager], first);
  const registries = [organizationRegistry, rulebooks];
  const mandates = proxied("Mandates", [accessManager, organizationRegistry], registries);
  const consentRegistry = proxied("ConsentRegistry", [accessManager, organizationRegistry], registries);
  const accessLog = proxied("AccessLog", [accessManager, organizationRegistry], registries);
  const third = [mandates, consentRegistry, accessLog];
  const claimEscrow = proxied("ClaimEscrow", [accessManager, ...registries, mandates], third);
  const patientRecovery = proxied("PatientRecovery", [accessManager, consentRegistry], third);
  const all = [claimEscrow, patientRecovery];
  // What of the escrow's code is not in its own contract.
  const workflowReceiver = m.contractAt("ClaimEscrowExtension", claimEscrow, { id: "ExtensionAtEscrow" });

  // Before the function is given to a role, while it is still the admin's.
  const forwarded = m.call(workflowReceiver, "setForwarder", [m.getParameter("forwarder", ZeroAddress)], {
    after: all,
  });
  const settings: ContractCallFuture<string, string>[] = [
    m.call(organizationRegistry, "setStandingListener", [claimEscrow], { after: all }),
    m.call(rulebooks, "setRulebookListener", [claimEscrow], { after: all }),
    m.call(mandates, "setEscrow", [claimEscrow], { after: all }),
    m.call(consentRegistry, "setRecovery", [patientRecovery], { after: all }),
    forwarded,
  ];

  const targets = {
    OrganizationRegistry: organizationRegistry,
    Rulebooks: rulebooks,
    Mandates: mandates,
    ClaimEscrow: claimEscrow,
    ConsentRegistry: consentRegistry,
    PatientRecovery: patientRecovery,
    AccessLog: accessLog,
  };
  const delay = m.getParameter("delay", 14 * 24 * 60 * 60);
  const delays = { upgrader: delay, pauser: 0, credentialing: 0 };
  for (const [role, { id: roleId, functions }] of Object.entries(roles)) {
    const allowed = Object.entries<readonly string[]>(functions).map(([target, signatures]) =>
      m.call(
        accessManager,
        "setTargetFunctionRole",
        [targets[target as keyof typeof targets], signatures.map((signature) => id(signature).slice(0, 10)), roleId],
        { id: `${role}Of${target}`, after: [forwarded] },
      ),
    );
    const account = m.getParameter(role, deployer);
    settings.push(
      m.call(accessManager, "grantRole", [roleId, account, delays[role as keyof typeof delays]], {
        id: `grant_${role}`,
        after: allowed,
      }),
    );
  }

  // Last, since from here on an admin waits: one without delay could upgrade everything at once. Where governance is the deployer,
  // the second step fails, so that nobody gives up the last admin.
  const adminRole = 0n;
  const governed = m.call(accessManager, "grantRole", [adminRole, m.getParameter("governance"), delay], {
    id: "grant_governance",
    after: settings,
  });
  const delayed = m.call(accessManager, "grantRole", [adminRole, deployer, delay], {
    id: "delay_deployer",
    after: [governed],
  });
  m.call(accessManager, "renounceRole", [adminRole, deployer], { id: "renounce_deployer", after: [delayed] });

  return {
    accessManager,
    organizationRegistry,
    rulebooks,
    mandates,
    claimEscrow,
    consentRegistry,
    patientRecovery,
    accessLog,
    p256Verifier,
    webAuthnVerifier,
    webAuthnOriginVerifier,
  };
});
