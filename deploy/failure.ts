import type { exitCodes } from "../tasks/support/exitCodes";

/** Which of the commands' exit codes it ends with. */
export type FailureKind = Exclude<keyof typeof exitCodes, "ok" | "interrupted">;

/** Something that the operator has to know, in words; anything else that is thrown is a fault of this code. */
export class Failure extends Error {
  override readonly name = "Failure";

  constructor(
    message: string,
    readonly kind: FailureKind = "refused",
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}
