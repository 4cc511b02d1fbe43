import { type OpenedGroup, type Settlement } from "@carepact/sdk/claims";
import { eventReasons } from "@carepact/sdk/fhir";

import type { DispenseLine } from "./dispenses";
import { partiesOf } from "./money";
import type { World } from "./world";

const results = {
  met: "met",
  partlyMet: "partly met",
  notMet: "not met",
  pending: "pending",
  correction: "correction",
};

// Texts wrap in it, so that the table fits 120 columns.
const REASON_WIDTH = 38;

/** Every dispense with its one result and the reason for it. */
export function showDispenses({ screen, show }: World, lines: readonly DispenseLine[]): void {
  const inOrder = [...lines].sort((a, b) => (String(a.dispense.id) < String(b.dispense.id) ? -1 : 1));
  screen.table(
    ["meddisp", "at *", "status", "quantity", "price *", "result", "pays", "because"],
    inOrder.map((entry) => {
      const { dispense, assigned, line, event } = entry;
      return [
        String(dispense.id).replace("meddisp", ""),
        assigned.pharmacy.replace("Pharmacy ", ""),
        dispense.status,
        quantityOf(entry),
        show(line.amount),
        results[event.result],
        "amount" in event ? show(event.amount) : "",
        reasonOf(entry),
      ];
    }),
    { right: [4, 6], widths: { 7: REASON_WIDTH } },
  );
  screen.say(
    '* assigned by the demo. A quantity "60 of 90 *" was dispensed in part: 90 is what the demo says was billed.',
  );
}

/** Why a dispense leads to its result. */
const reasonOf = ({ event, reversed }: DispenseLine): string =>
  reversed ? `${eventReasons[event.reason]} Reversed by its pharmacy.` : eventReasons[event.reason];

function quantityOf({ dispense: { quantity }, assigned: { billed } }: DispenseLine): string {
  const dispensed = quantity?.value === undefined ? "none" : String(quantity.value);
  return billed === undefined ? dispensed : `${dispensed} of ${billed} *`;
}

/** What became of each pharmacy's group. */
export function showGroups(
  world: World,
  groups: readonly OpenedGroup[],
  lines: readonly DispenseLine[],
  settled: Settlement,
): void {
  const { screen, show } = world;
  const names = new Map(partiesOf(world).map(({ account, name }) => [account, name]));
  screen.table(
    [
      "group of",
      "lines",
      "subtotal",
      "met",
      "partly met",
      "not met",
      "pending",
      "reversed",
      "paid",
      "freed",
      "still open",
    ],
    groups.map((group) => {
      const own = lines.filter((entry) => entry.group === group);
      const count = (result: string): string =>
        String(own.filter(({ event, reversed }) => event.result === result && !reversed).length);
      const { paid, freed } = settled.groups.find(({ payee }) => payee === group.payee) ?? { paid: 0n, freed: 0n };
      const subtotal = group.groups[group.group]?.subtotal ?? 0n;
      const reversed = own.filter((entry) => entry.reversed);
      const open = subtotal - paid - freed - reversed.reduce((sum, { line }) => sum + line.amount, 0n);
      return [
        names.get(group.payee) ?? group.payee,
        String(own.length),
        show(subtotal),
        ...["met", "partlyMet", "notMet", "pending"].map(count),
        String(reversed.length),
        ...[paid, freed, open].map(show),
      ];
    }),
    { right: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] },
  );
  screen.say(
    "A pharmacy all of whose lines are met is paid its subtotal: its line amounts never appear on chain. Where results differ, " +
      "they settle line by line.",
  );
}
