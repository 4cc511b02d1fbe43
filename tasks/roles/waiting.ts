import { CarepactError, isCarepactError } from "@carepact/sdk";

/** Says what to do when the signer has to announce first what it wants to do. */
export async function orScheduleFirst<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (thrown) {
    if (!isCarepactError(thrown, "CONTRACT_REVERTED") || thrown.name !== "AccessManagerNotScheduled") throw thrown;
    const { code, details, cause, name, contract, args } = thrown;
    throw new CarepactError(
      code,
      "This account has to announce it first: roles:schedule --call with the same options, and after the delay roles:execute.",
      details,
      cause,
      { name, contract, args },
    );
  }
}
