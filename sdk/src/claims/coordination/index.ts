export {
  coordinate,
  fundingOf,
  type CoordinatedAnswer,
  type CoordinatedLine,
  type Coordination,
  type PayerShare,
} from "./coordinate";
export { correctionPlan, type CorrectedLine, type CorrectionStep } from "./correction";
export { paidBefore, type PaidBefore } from "./earlier";
export { completionOf, requireCompletion, type Completion, type PartFill } from "./fills";
export { healthAccountAnswer } from "./healthAccount";
export { rebill, type Replacement } from "./rebill";
export { resultsOfEvents, type EventOutcome } from "./results";
export { reversalPlan, reversalStep, type ReversalPlan, type ReversalStep } from "./reversal";
export { keptOf, standingOf, type GroupStanding, type LineRefund, type LineStanding } from "./standing";
