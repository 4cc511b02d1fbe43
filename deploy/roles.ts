/**
 * Roles of the AccessManager and the functions each may call. A function in no role is for the AccessManager's admin (role 0).
 * Ids are part of what is deployed: they never change, and a new role takes the next one.
 */
export const roles = {
  upgrader: {
    id: 1n,
    functions: {
      OrganizationRegistry: ["upgradeToAndCall(address,bytes)"],
      Rulebooks: ["upgradeToAndCall(address,bytes)"],
      Mandates: ["upgradeToAndCall(address,bytes)"],
      // Who is taken for the forwarder reports what it likes under rulebooks that name a workflow.
      ClaimEscrow: ["upgradeToAndCall(address,bytes)", "setForwarder(address)"],
      ConsentRegistry: ["upgradeToAndCall(address,bytes)"],
      PatientRecovery: ["upgradeToAndCall(address,bytes)"],
      AccessLog: ["upgradeToAndCall(address,bytes)"],
    },
  },
  pauser: {
    id: 2n,
    functions: { ClaimEscrow: ["pause()", "unpause()"] },
  },
  credentialing: {
    id: 3n,
    functions: {
      OrganizationRegistry: [
        "register(address,(uint16,uint40,uint24,bytes10,bytes32,string,string))",
        "update(address,(uint16,uint40,uint24,bytes10,bytes32,string,string))",
        "suspend(address)",
        "reinstate(address)",
      ],
    },
  },
} as const;
