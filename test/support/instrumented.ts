/**
 * A test of gas, or of the most that fits one transaction: it runs everywhere but where code is instrumented for coverage, which takes
 * many times the gas, and memory for each step.
 */
export function itUninstrumented(title: string, body: () => Promise<void>): void {
  if (!process.env.SOLIDITY_COVERAGE) it(title, body);
}
