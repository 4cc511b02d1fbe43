import { expect } from "chai";

import { isCarepactError } from "../../sdk/src/errors";
import { within } from "../../sdk/src/chain/options";

/** Work that ends only when it is told to. */
const endless = (): Promise<never> => new Promise(() => undefined);

const caught = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    await work;
  } catch (thrown) {
    return thrown;
  }
  throw new Error("Nothing was thrown.");
};

describe("call options", () => {
  it("give back what the work gives, and what it throws", async () => {
    expect(
      await within({ timeoutMs: 60_000, signal: new AbortController().signal }, () => Promise.resolve(7)),
    ).to.equal(7);
    const refused = new Error("refused");
    expect(await caught(within({}, () => Promise.reject(refused)))).to.equal(refused);
  });

  it("end a call when its signal is aborted, and say why it was", async () => {
    const caller = new AbortController();
    const call = within({ signal: caller.signal }, endless);
    caller.abort("the page was closed");
    const thrown = await caught(call);
    expect(isCarepactError(thrown, "ABORTED")).to.equal(true);
    expect((thrown as Error).cause).to.equal("the page was closed");
  });

  it("end a call whose signal is aborted while it begins", async () => {
    const caller = new AbortController();
    const call = within({ signal: caller.signal }, () => {
      caller.abort();
      return endless();
    });
    expect(isCarepactError(await caught(call), "ABORTED")).to.equal(true);
  });

  it("do not begin a call whose signal is aborted already", async () => {
    let begun = false;
    const call = within({ signal: AbortSignal.abort() }, () => {
      begun = true;
      return Promise.resolve();
    });
    expect(isCarepactError(await caught(call), "ABORTED")).to.equal(true);
    expect(begun).to.equal(false);
  });

  it("end a call that is out of time, and tell the work, so that nothing follows", async () => {
    let told: AbortSignal | undefined;
    const thrown = await caught(
      within({ timeoutMs: 1 }, (signal) => {
        told = signal;
        return endless();
      }),
    );
    expect(isCarepactError(thrown, "TIMED_OUT")).to.equal(true);
    expect(told?.aborted).to.equal(true);
  });

  it("refuse a time that is none", async () => {
    for (const timeoutMs of [0, -1, NaN])
      expect(isCarepactError(await caught(within({ timeoutMs }, endless)), "INPUT_INVALID"), `${timeoutMs}`).to.equal(
        true,
      );
  });

  it("count times that are longer than timers can count", async () => {
    const real = globalThis.setTimeout;
    const set: { ms: number | undefined; fire: () => void }[] = [];
    const later = (fire: () => void, ms?: number) => (set.push({ ms, fire }), 0);
    globalThis.setTimeout = later as unknown as typeof setTimeout;
    try {
      const longest = 2 ** 31 - 1;
      const call = within({ timeoutMs: longest + 5 }, endless);
      expect(set.map(({ ms }) => ms)).to.deep.equal([longest]);
      set[0]!.fire();
      expect(set.map(({ ms }) => ms)).to.deep.equal([longest, 5]);
      set[1]!.fire();
      const thrown = await caught(call);
      expect((thrown as { details: unknown }).details).to.deep.equal({ timeoutMs: longest + 5 });
      await within({ timeoutMs: Infinity }, () => Promise.resolve());
      expect(set.length).to.equal(2);
    } finally {
      globalThis.setTimeout = real;
    }
  });

  it("leave nothing on a signal that outlives many calls", async () => {
    const { signal } = new AbortController();
    let listening = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => ((listening += 1), add(...args));
    signal.removeEventListener = (...args: Parameters<typeof remove>) => ((listening -= 1), remove(...args));
    for (let call = 0; call < 5; call += 1) await within({ signal }, () => Promise.resolve());
    expect(listening).to.equal(0);
  });
});
