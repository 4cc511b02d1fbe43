import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";
import { id } from "ethers";

import { roles } from "./roles";

type ModuleBuilder = Parameters<Parameters<typeof buildModule>[1]>[0];
type InitializerArguments = NonNullable<Parameters<ModuleBuilder["encodeFunctionCall"]>[2]>;

/** Implementation, proxy with its initializer, and the implementation's interface at the proxy's address. */
function proxied(m: ModuleBuilder, name: string, args: InitializerArguments) {
  const implementation = m.contract(name, [], { id: `${name}Implementation` });
  const initialize = m.encodeFunctionCall(implementation, "initialize", args);
  const proxy = m.contract("ERC1967Proxy", [implementation, initialize], { id: `${name}Proxy` });
  return m.contractAt(name, proxy, { id: name });
}

/**
 * The whole system: access manager, registries, escrow, the links between them, and who may call what.
 *
 * Parameters: `governance`, `upgrader`, `pauser`, `credentialing`: accounts of these roles, the deployer unless given (`governance`
 * is the AccessManager's admin: it grants roles); `delay`: seconds that an upgrade, and whatever an admin does, waits: 14 days
 * unless given.
 */
export default buildModule("Carepact", (m) => {
  const admin = m.getAccount(0);
  const accessManager = m.contract("AccessManager", [admin]);
  const organizationRegistry = proxied(m, "OrganizationRegistry", [accessManager]);
  const rulebooks = proxied(m, "Rulebooks", [accessManager]);
  const mandates = proxied(m, "Mandates", [accessManager, organizationRegistry]);
  const claimEscrow = proxied(m, "ClaimEscrow", [accessManager, organizationRegistry, rulebooks, mandates]);

  const settings = [
    m.call(organizationRegistry, "setStandingListener", [claimEscrow]),
    m.call(rulebooks, "setRulebookListener", [claimEscrow]),
    m.call(mandates, "setEscrow", [claimEscrow]),
  ];

  const targets = {
    OrganizationRegistry: organizationRegistry,
    Rulebooks: rulebooks,
    Mandates: mandates,
    ClaimEscrow: claimEscrow,
  };
  const delay = m.getParameter("delay", 14 * 24 * 60 * 60);
  const delays = { upgrader: delay, pauser: 0, credentialing: 0 };
  for (const [role, { id: roleId, functions }] of Object.entries(roles)) {
    const allowed = Object.entries<readonly string[]>(functions).map(([target, signatures]) =>
      m.call(
        accessManager,
        "setTargetFunctionRole",
        [targets[target as keyof typeof targets], signatures.map((signature) => id(signature).slice(0, 10)), roleId],
        { id: `${role}Of${target}` },
      ),
    );
    const account = m.getParameter(role, admin);
    settings.push(
      m.call(accessManager, "grantRole", [roleId, account, delays[role as keyof typeof delays]], {
        id: `grant_${role}`,
        after: allowed,
      }),
    );
  }

  // Last, since from here on an admin waits too. An admin without delay could upgrade everything at once.
  const adminRole = 0n;
  const governed = m.call(accessManager, "grantRole", [adminRole, m.getParameter("governance", admin), delay], {
    id: "grant_governance",
    after: settings,
  });
  m.call(accessManager, "grantRole", [adminRole, admin, delay], { id: "delay_deployer", after: [governed] });

  return { accessManager, organizationRegistry, rulebooks, mandates, claimEscrow };
});
