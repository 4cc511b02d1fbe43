import { expect } from "chai";
import fc from "fast-check";

import {
  attestersOf,
  eventKinds,
  isPresented,
  rulebook,
  rulebookFromJson,
  rulebookIdOf,
  rulebookToJson,
  simpleRulebook,
  type Arbiter,
  type ConditionInput,
  type RulebookInput,
} from "../../sdk/src/rulebooks";

import { refused } from "./refused";

const DAY = 24 * 60 * 60;
const account = (digit: string): string => `0x${digit.repeat(40)}`;
const key = `${account("c")}${"12".repeat(64)}`;
const workflow = { id: `0x${"11".repeat(32)}`, owner: account("2"), name: `0x${"33".repeat(10)}` };
const common = { eventKinds: eventKinds.dispense, grace: 3 * DAY };
const arbiter: Arbiter = { account: account("b"), deadline: 14 * DAY, default: "payee" };
const one: ConditionInput = { attesters: [account("a")] };

const build = (changes: Partial<RulebookInput>) => rulebook({ ...common, conditions: [one], ...changes });

describe("rulebooks of conditions", () => {
  it("bring attesters into order, byte by byte, and have all of them sign unless told otherwise", () => {
    const { attesterGroups } = build({
      conditions: [
        { attesters: ["payee"] },
        { threshold: 2, attesters: [key.toUpperCase().replace("0X", "0x"), account("B"), account("c")] },
        { attesters: ["patient"], above: 5n },
        { attesters: [account("2"), account("1")] },
      ],
    });
    expect(attesterGroups).to.deep.equal([
      { threshold: 1, above: 0n, attesters: ["0x01"] },
      { threshold: 2, above: 0n, attesters: [account("b"), account("c"), key] },
      { threshold: 1, above: 5n, attesters: ["0x02"] },
      { threshold: 2, above: 0n, attesters: [account("1"), account("2")] },
    ]);
  });

  it("name attesters by their index over all conditions", () => {
    const conditions = [{ attesters: [account("b"), account("a")] }, { attesters: ["patient"] }, one];
    expect(attestersOf(build({ conditions }))).to.deep.equal([
      { index: 0, condition: 0, signer: account("a") },
      { index: 1, condition: 0, signer: account("b") },
      { index: 2, condition: 1, signer: "0x02", role: "patient" },
      { index: 3, condition: 2, signer: account("a") },
    ]);
  });

  it("are the simple ones where there is one condition of accounts", () => {
    const attesters = [account("b"), account("a")];
    expect(build({ conditions: [{ threshold: 1, attesters }] })).to.deep.equal(
      simpleRulebook({ ...common, threshold: 1, attesters }),
    );
  });

  it("may say who rules on disputes and what is retained", () => {
    const said = build({ challengePeriod: 2 * DAY, arbiter, bond: 5n, retention: { bps: 250, lookBack: 30 * DAY } });
    expect(said).to.deep.include({
      challengePeriod: 2 * DAY,
      arbiter: arbiter.account,
      arbiterDeadline: 14 * DAY,
      arbiterDefault: 1,
      bond: 5n,
      retentionBps: 250,
      lookBack: 30 * DAY,
    });
    const silent = build({ arbiter: { account: account("b"), deadline: DAY } });
    expect([silent.arbiterDefault, silent.bond, silent.challengePeriod]).to.deep.equal([0, 0n, 0]);
    const attesters = [account("a")];
    expect(rulebook({ ...common, conditions: [one], arbiter, challengePeriod: 1 })).to.deep.equal(
      simpleRulebook({ ...common, attesters, threshold: 1, arbiter, challengePeriod: 1 }),
    );
    refused("RULEBOOK_INVALID", () => simpleRulebook({ ...common, attesters, threshold: 1, challengePeriod: 1 }));
  });

  it("have attestations presented where results can be disputed or a share is retained", () => {
    expect(isPresented(build({}))).to.equal(false);
    expect(isPresented(build({ arbiter, bond: 1n }))).to.equal(false);
    expect(isPresented(build({ arbiter, challengePeriod: 1 }))).to.equal(true);
    expect(isPresented(build({ arbiter, retention: { bps: 1, lookBack: 1 } }))).to.equal(true);
  });

  it("may name only a workflow, or one beside conditions", () => {
    expect(build({ conditions: [], workflow }).workflow).to.deep.equal(workflow);
    expect(build({ workflow }).attesterGroups).to.have.length(1);
  });

  it("have an id, and survive JSON", () => {
    const built = build({ conditions: [{ attesters: ["payee"] }, { attesters: [key], above: 7n }], workflow });
    const json = JSON.parse(JSON.stringify(rulebookToJson(built))) as ReturnType<typeof rulebookToJson>;
    expect(rulebookIdOf(rulebookFromJson(json))).to.equal(rulebookIdOf(built));
  });

  const refusals: [what: string, reason: string, changes: Partial<RulebookInput>][] = [
    ["no grace", "GraceOutOfRange", { grace: 0 }],
    ["too little grace", "GraceOutOfRange", { grace: 3 * DAY - 1 }],
    ["too much grace", "GraceOutOfRange", { grace: 90 * DAY + 1 }],
    ["no kind of event", "EventKindsInvalid", { eventKinds: 0 }],
    ["an unknown kind of event", "EventKindsInvalid", { eventKinds: 32 }],
    ["nobody", "NobodyAttests", { conditions: [] }],
    ["only the patient", "NobodyAttests", { conditions: [{ attesters: ["patient"] }] }],
    ["nobody for small amounts", "NobodyAttests", { conditions: [{ ...one, above: 1n }], workflow }],
    ["a threshold of zero", "ThresholdInvalid", { conditions: [{ ...one, threshold: 0 }] }],
    ["a threshold above the attesters", "ThresholdInvalid", { conditions: [{ ...one, threshold: 2 }] }],
    ["a condition of nobody", "ThresholdInvalid", { conditions: [{ attesters: [] }] }],
    ["one attester twice", "AttestersNotAscending", { conditions: [{ attesters: [account("a"), account("A")] }] }],
    ["a role beside an account", "RoleNotAlone", { conditions: [{ attesters: ["payee", account("a")] }] }],
    ["two roles together", "RoleNotAlone", { conditions: [{ attesters: ["payee", "patient"] }] }],
    ["a role that does not exist", "AttesterInvalid", { conditions: [{ attesters: ["payer"] }] }],
    ["another byte", "AttesterInvalid", { conditions: [{ attesters: ["0x03"] }] }],
    ["nineteen bytes", "AttesterInvalid", { conditions: [{ attesters: [account("a").slice(0, -2)] }] }],
    ["half a byte", "AttesterInvalid", { conditions: [{ attesters: [`${account("a")}1`] }] }],
    ["the zero account", "AttesterInvalid", { conditions: [{ attesters: [account("0")] }] }],
    ["more than 254 bytes", "AttesterInvalid", { conditions: [{ attesters: [`0x${"ab".repeat(255)}`] }] }],
    ["a negative amount", "RulebookFieldInvalid", { conditions: [one, { ...one, above: -1n }] }],
    ["an amount beyond 96 bits", "RulebookFieldInvalid", { conditions: [one, { ...one, above: 1n << 96n }] }],
    ["a workflow without owner", "WorkflowIncomplete", { workflow: { ...workflow, owner: account("0") } }],
    ["a workflow whose name is text", "WorkflowIncomplete", { workflow: { ...workflow, name: "dispenses" } }],
    ["a challenge period without an arbiter", "RulebookFieldInvalid", { challengePeriod: 1 }],
    ["too long a challenge period", "RulebookFieldInvalid", { arbiter, challengePeriod: 30 * DAY + 1 }],
    ["part of a second to challenge", "RulebookFieldInvalid", { arbiter, challengePeriod: 0.5 }],
    ["an arbiter without time", "RulebookFieldInvalid", { arbiter: { ...arbiter, deadline: 0 } }],
    ["an arbiter with too little time", "RulebookFieldInvalid", { arbiter: { ...arbiter, deadline: DAY - 1 } }],
    ["an arbiter with too much time", "RulebookFieldInvalid", { arbiter: { ...arbiter, deadline: 90 * DAY + 1 } }],
    ["the zero account as arbiter", "RulebookFieldInvalid", { arbiter: { ...arbiter, account: account("0") } }],
    ["an arbiter that is no account", "RulebookFieldInvalid", { arbiter: { ...arbiter, account: "arbiter.eth" } }],
    ["a default for nobody", "RulebookFieldInvalid", { arbiter: { ...arbiter, default: "patient" as "payer" } }],
    ["a bond without an arbiter", "RulebookFieldInvalid", { bond: 1n }],
    ["a negative bond", "RulebookFieldInvalid", { arbiter, bond: -1n }],
    ["a bond beyond 96 bits", "RulebookFieldInvalid", { arbiter, bond: 1n << 96n }],
    ["a retention without an arbiter", "RulebookFieldInvalid", { retention: { bps: 1, lookBack: DAY } }],
    ["a retention of more than all", "RulebookFieldInvalid", { arbiter, retention: { bps: 10_001, lookBack: DAY } }],
    ["a retention of nothing", "RulebookFieldInvalid", { arbiter, retention: { bps: 0, lookBack: DAY } }],
    ["a retention without look-back", "RulebookFieldInvalid", { arbiter, retention: { bps: 1, lookBack: 0 } }],
    ["too long a look-back", "RulebookFieldInvalid", { arbiter, retention: { bps: 1, lookBack: 730 * DAY + 1 } }],
    [
      "too many attesters",
      "TooManyAttesters",
      { conditions: Array.from({ length: 3 }, () => ({ attesters: [..."123456789ab"].map(account) })) },
    ],
  ];
  for (const [what, reason, changes] of refusals)
    it(`refuse ${what}: ${reason}`, () => {
      const { details } = refused("RULEBOOK_INVALID", () => build(changes));
      expect(details).to.include({ reason });
      expect(details["path"]).to.be.a("string");
    });

  it("refuse a suspender that is no account", () => {
    refused("BATCH_TERMS_INVALID", () => build({ suspender: "somebody" }));
  });

  it("have one id, whatever order attesters are given in", () => {
    const accounts = [..."123456789abcdef"].map(account);
    fc.assert(
      fc.property(fc.shuffledSubarray(accounts, { minLength: 1 }), (attesters) => {
        const again = [...attesters].reverse();
        expect(rulebookIdOf(build({ conditions: [{ attesters }] }))).to.equal(
          rulebookIdOf(build({ conditions: [{ attesters: again }] })),
        );
      }),
    );
  });
});
