/** What a command ends with: 1 when it was refused or failed, 2 when a check found something, 3 when it is too early. */
export const exitCodes = { refused: 1, found: 2, early: 3 } as const;

/** Something that the operator has to know, in words; anything else that is thrown is a fault of this code. */
export class Failure extends Error {
  override readonly name = "Failure";

  constructor(
    message: string,
    readonly kind: keyof typeof exitCodes = "refused",
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}
