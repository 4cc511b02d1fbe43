import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import { expect } from "chai";

import type { Answer, Order } from "./ledgerProcess";
import { attestedOf, ledgerFolder, lineOf, type LedgerFolder, type Terms } from "./ledgers";

/** A ledger in another process. */
interface Other {
  /** Why it refused the lines; nothing if it did not. */
  claim(...lines: Terms[]): Promise<string[]>;
  /** Is killed as it is told, and says nothing any more. */
  crash(order: Order): Promise<void>;
  stop(): Promise<void>;
}

async function otherProcess(path: string): Promise<Other> {
  const child = fork(join(__dirname, "ledgerProcess.ts"), [path], {
    execArgv: ["--require", "ts-node/register/transpile-only"],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    // Knows bigints.
    serialization: "advanced",
  });
  const answer = async (): Promise<Answer> => ((await once(child, "message")) as [Answer])[0];
  const order = (given: Order): void => void child.send(given);
  expect(await answer()).to.deep.equal({ ready: true });
  return {
    claim: async (...claim) => {
      const answered = answer();
      order({ claim });
      return ((await answered) as { reasons: string[] }).reasons;
    },
    crash: async (given) => {
      const ended = once(child, "exit");
      order(given);
      expect(await ended).to.deep.equal([null, "SIGKILL"]);
    },
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
    },
  };
}

describe("A ledger that several processes have open", () => {
  let folder: LedgerFolder;
  let path: string;
  const others: Other[] = [];

  beforeEach(() => {
    folder = ledgerFolder();
    path = folder.path();
    folder.open(path);
  });
  afterEach(async () => {
    await Promise.all(others.splice(0).map((other) => other.stop()));
    await folder.remove();
  });
  const start = async (): Promise<Other> => {
    const other = await otherProcess(path);
    others.push(other);
    return other;
  };

  it("lets exactly one of two processes have an event, 200 times", async () => {
    const [one, two] = await Promise.all([start(), start()]);
    for (let i = 0; i < 200; i += 1) {
      const event = `R${i}`;
      // Each in turn is asked first, and neither waits for the other.
      const asked = [one, two].map((other, n) => () => other.claim({ event, batch: `${i}/${n}` }));
      const answers =
        i % 2 === 0
          ? asked.map((ask) => ask())
          : asked
              .reverse()
              .map((ask) => ask())
              .reverse();
      const reasons = await Promise.all(answers);
      const accepted = reasons.filter((given) => given.length === 0);
      expect(accepted, event).to.have.length(1);
      expect(reasons.flat(), event).to.deep.equal(["samePayer"]);
    }
    const ledger = folder.open(path);
    for (let i = 0; i < 200; i += 1)
      expect(await ledger.attested(lineOf({ event: `R${i}` }).eventKey)).to.have.length(1);
  });

  it("records a batch as a whole, when two batches share some events", async () => {
    const [one, two] = await Promise.all([start(), start()]);
    for (let i = 0; i < 40; i += 1) {
      const lines = (batch: string, ...events: number[]): Terms[] =>
        events.map((event, line) => ({ event: `${i}/${event}`, batch: `${i}/${batch}`, line }));
      const reasons = await Promise.all([one.claim(...lines("a", 1, 2, 3)), two.claim(...lines("b", 3, 4, 1))]);
      expect(reasons.filter((given) => given.length === 0)).to.have.length(1);
      const ledger = folder.open(path);
      const recorded = await Promise.all(
        [1, 2, 3, 4].map(async (event) => (await ledger.attested(lineOf({ event: `${i}/${event}` }).eventKey)).length),
      );
      expect(recorded).to.deep.equal(reasons[0].length === 0 ? [1, 1, 1, 0] : [1, 0, 1, 1]);
      await ledger.close();
    }
  });

  it("knows what a process recorded that was killed before it signed, and lets it sign after all", async () => {
    const killed = await start();
    await killed.crash({ claim: [{ event: "2" }], crash: "afterwards" });
    const ledger = folder.open(path);
    expect(await ledger.attested(lineOf({ event: "2" }).eventKey)).to.deep.equal([attestedOf()]);
    const next = await start();
    expect(await next.claim({ event: "2", batch: "later" })).to.deep.equal(["samePayer"]);
    expect(await next.claim({ event: "2" })).to.deep.equal([]);
  });

  it("is whole, and open to others, when a process is killed in the midst of writing", async () => {
    const [killed, waiting] = await Promise.all([start(), start()]);
    const ledger = folder.open(path);
    expect(await ledger.claim([lineOf({ event: "2" })])).to.deep.equal([]);
    await killed.crash({ crash: "writing" });
    expect(await waiting.claim({ event: "2", batch: "later" })).to.deep.equal(["samePayer"]);
    expect(await waiting.claim({ event: "3" })).to.deep.equal([]);
    expect(await ledger.attested(lineOf({ event: "2" }).eventKey)).to.deep.equal([attestedOf()]);
    expect(await ledger.attested(lineOf({ event: "3" }).eventKey)).to.deep.equal([attestedOf()]);
  });
});
