import { encodeBase64, hexlify, toUtf8Bytes, toUtf8String } from "ethers";

import { EvmMock, HttpActionsMock, newTestRuntime, test } from "@chainlink/cre-sdk/test";
import { getNetwork, type HTTPPayload } from "@chainlink/cre-sdk";

import { onRequest, onSchedule, workflow, type Config } from "./main";

/** What an HTTP server answers; undefined where it cannot be reached. */
export type Serve = (
  request: SentRequest,
) => { status: number; headers: Record<string, string>; body: string } | undefined;

/** A request that the workflow sent. */
export interface SentRequest {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string;
}

/** What a run of the workflow did. */
export interface Ran {
  said?: string;
  error?: string;
  requests: SentRequest[];
  /** Delivered reports: receiver and payload in hex, and the gas they may use. */
  reports: { receiver: string; payload: string; gasLimit: string }[];
  logs: string[];
}

/** What stands for the world around the workflow. */
export interface Surroundings {
  config: Config;
  secrets: Record<string, string>;
  /** Unix seconds. */
  now: number;
  serve: Serve;
  /** Whether the chain takes the report. */
  delivers: boolean;
}

/** Before a report's payload come its metadata. */
const METADATA_BYTES = 109;

/** Runs a handler of the workflow under the runtime that Chainlink's SDK has for tests. */
export const runOnRequest = (around: Surroundings, request: unknown): Promise<Ran> =>
  ran(around, (runtime) => {
    const payload = { input: toUtf8Bytes(JSON.stringify(request)) } as HTTPPayload;
    return onRequest(runtime, payload);
  });

/** The same for the schedule's handler. */
export const runOnSchedule = (around: Surroundings): Promise<Ran> => ran(around, onSchedule);

/** Capabilities whose triggers start the workflow. */
export const triggersOf = (config: Config): string[] => workflow(config).map(({ trigger }) => trigger.capabilityId());

function ran(around: Surroundings, handle: (runtime: Parameters<typeof onSchedule>[0]) => string): Promise<Ran> {
  return new Promise((done, failed) => {
    test("run", () => {
      try {
        done(runOnce(around, handle));
      } catch (thrown) {
        failed(new Error("The run could not begin.", { cause: thrown }));
      }
    });
  });
}

function runOnce(
  { config, secrets, now, serve, delivers }: Surroundings,
  handle: (runtime: Parameters<typeof onSchedule>[0]) => string,
): Ran {
  const requests: SentRequest[] = [];
  const reports: Ran["reports"] = [];
  HttpActionsMock.testInstance().sendRequest = ({ url, method, headers, body }) => {
    const request = { url, method, headers: { ...headers }, body: toUtf8String(body) };
    requests.push(request);
    const answer = serve(request);
    if (answer === undefined) throw new Error("connection refused");
    const { status: statusCode, headers: answered } = answer;
    return { statusCode, headers: answered, body: encodeBase64(toUtf8Bytes(answer.body)) };
  };
  const { chainSelectorName, isTestnet } = config;
  const selector = getNetwork({ chainFamily: "evm", chainSelectorName, isTestnet })?.chainSelector.selector ?? 0n;
  EvmMock.testInstance(selector).writeReport = ({ receiver, report, gasConfig }) => {
    const raw = report?.rawReport ?? new Uint8Array();
    reports.push({
      receiver: hexlify(receiver),
      payload: hexlify(raw.slice(METADATA_BYTES)),
      gasLimit: String(gasConfig?.gasLimit),
    });
    return delivers
      ? { txStatus: "TX_STATUS_SUCCESS", txHash: encodeBase64(new Uint8Array(32).fill(7)) }
      : { txStatus: "TX_STATUS_REVERTED", errorMessage: "out of gas" };
  };
  const kept = new Map([["main", new Map(Object.entries(secrets))]]);
  const runtime = newTestRuntime<Config>(kept, { timeProvider: () => now * 1000 }, config);
  try {
    return { said: handle(runtime), requests, reports, logs: runtime.getLogs() };
  } catch (thrown) {
    return { error: (thrown as Error).message, requests, reports, logs: runtime.getLogs() };
  }
}
