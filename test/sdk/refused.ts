import { expect } from "chai";

import { isCarepactError, type CarepactError, type ErrorCode } from "../../sdk/src/errors";

const check = (error: unknown, code: ErrorCode): CarepactError => {
  if (!isCarepactError(error)) throw error;
  expect(error.code, error.message).to.equal(code);
  expect(() => JSON.stringify(error)).not.to.throw();
  return error;
};

/** Runs `action`, expects a CarepactError of `code`, and returns it. */
export function refused(code: ErrorCode, action: () => unknown): CarepactError {
  try {
    action();
  } catch (error) {
    return check(error, code);
  }
  return expect.fail(`expected ${code}`);
}

/** The same for a promise. */
export async function refusedAsync(code: ErrorCode, action: Promise<unknown>): Promise<CarepactError> {
  try {
    await action;
  } catch (error) {
    return check(error, code);
  }
  return expect.fail(`expected ${code}`);
}
