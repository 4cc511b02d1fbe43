import {
  bytesToHex,
  consensusIdenticalAggregation,
  CronCapability,
  decodeJson,
  EVMClient,
  getHeader,
  getNetwork,
  handler,
  HTTPCapability,
  HTTPClient,
  prepareReportRequest,
  Runner,
  text,
  TxStatus,
  type HTTPPayload,
  type NodeRuntime,
  type Runtime,
  type Workflow,
} from "@chainlink/cre-sdk";

// Between the two: Chainlink's SDK sets globals, Carepact's reads them.
import "./shim";

import { encodeBase64, toUtf8Bytes } from "ethers";

import { canonicalJson } from "@carepact/sdk/encryption";

import { conclude, prepare, readSettings, type Answer, type Conclusion, type Settings } from "./core";

/** `config.*.json`. Everybody who sees the workflow sees it: tokens are secrets, named here and kept elsewhere. */
export interface Config {
  /** Cron expression with seconds. */
  schedule: string;
  /** Where the next request waits: 200 with a request, 204 when there is none. */
  requestsUrl: string;
  requestsTokenSecret?: string;
  /** Addresses of the keys that may send a request to the HTTP trigger. */
  authorizedKeys: string[];
  /** Where the statement goes before its digest is reported. */
  publishUrl: string;
  publishTokenSecret?: string;
  /** Chainlink's name of the chain that the escrow is on. */
  chainSelectorName: string;
  isTestnet: boolean;
  /** Gas that `onReport` may use, as a decimal string. */
  gasLimit: string;
  /** See `Settings`. */
  settings: unknown;
}

type Tokens = Readonly<Record<string, string>>;

/** There was nothing to do. */
const IDLE = canonicalJson({ outcome: "idle" });

/** Somebody with an authorized key asks about lines; the request is the payload. */
export const onRequest = (runtime: Runtime<Config>, payload: HTTPPayload): string =>
  run(runtime, () => decodeJson(payload.input));

/** Looks whether a request waits. */
export const onSchedule = (runtime: Runtime<Config>): string =>
  run(runtime, (node, settings, tokens) => {
    const { requestsUrl, requestsTokenSecret } = node.config;
    const answer = read(node, settings, tokens, { url: requestsUrl, tokenSecret: requestsTokenSecret });
    if ("failed" in answer) throw new Error(`The requests cannot be read: ${answer.failed}.`);
    if (answer.status === 204) return undefined;
    if (answer.status !== 200) throw new Error(`The requests cannot be read: status ${answer.status}.`);
    return JSON.parse(answer.body);
  });

/**
 * One run: every node reads and concludes by itself, the nodes agree on the text of the conclusion, and only then is
 * anything published or reported. Not agreeing ends the run without a report.
 */
function run(
  runtime: Runtime<Config>,
  requestOf: (node: NodeRuntime<Config>, settings: Settings, tokens: Tokens) => unknown,
): string {
  const settings = readSettings(runtime.config.settings);
  const tokens = tokensOf(runtime, settings);
  const now = Math.floor(runtime.now().getTime() / 1000);
  const observe = (node: NodeRuntime<Config>): string => {
    const request = requestOf(node, settings, tokens);
    if (request === undefined) return IDLE;
    const prepared = prepare(request, settings);
    const passes = Array.from({ length: settings.readsEach }, () =>
      prepared.reads.map((entry) => read(node, settings, tokens, entry)),
    );
    return canonicalJson(conclude(prepared, passes, now));
  };
  const agreed = runtime.runInNodeMode(observe, consensusIdenticalAggregation<string>())().result();
  const conclusion = JSON.parse(agreed) as Conclusion | { outcome: "idle" };
  runtime.log(`outcome: ${conclusion.outcome}`);
  if (conclusion.outcome === "report") {
    publish(runtime, settings, tokens, agreed);
    report(runtime, conclusion.payload, settings);
  }
  return agreed;
}

/** All at once: how often a run may ask the vault is limited. */
function tokensOf(runtime: Runtime<Config>, { servers }: Settings): Tokens {
  const { requestsTokenSecret, publishTokenSecret } = runtime.config;
  const named = [...servers.map(({ tokenSecret }) => tokenSecret), requestsTokenSecret, publishTokenSecret];
  const ids = [...new Set(named)].filter((id) => id !== undefined);
  const secrets = runtime.getSecrets(ids.map((id) => ({ id }))).result();
  return Object.fromEntries(ids.map((id) => [id, secrets[id]?.value ?? ""]));
}

const authorization = (tokens: Tokens, name: string | undefined): Record<string, string> =>
  name === undefined ? {} : { authorization: `Bearer ${tokens[name]}` };

function read(
  node: NodeRuntime<Config>,
  { timeoutMs }: Settings,
  tokens: Tokens,
  { url, tokenSecret }: { url: string; tokenSecret?: string | undefined },
): Answer {
  try {
    const headers = { accept: "application/fhir+json", ...authorization(tokens, tokenSecret) };
    const timeout = `${timeoutMs / 1000}s`;
    const response = new HTTPClient().sendRequest(node, { url, method: "GET", headers, timeout }).result();
    const [contentType, etag] = [getHeader(response, "content-type"), getHeader(response, "etag")];
    return {
      status: response.statusCode,
      ...(contentType === undefined ? {} : { contentType }),
      ...(etag === undefined ? {} : { etag }),
      body: text(response),
    };
  } catch {
    // The capability says in words only why a request failed, and each node in its own.
    return { failed: "unreachable" };
  }
}

/** Hands out the statement before its digest is on chain: a digest whose statement nobody has settles nothing. */
function publish(runtime: Runtime<Config>, { timeoutMs }: Settings, tokens: Tokens, agreed: string): void {
  const { publishUrl, publishTokenSecret } = runtime.config;
  const post = (node: NodeRuntime<Config>): number => {
    const request = {
      url: publishUrl,
      method: "POST",
      headers: { "content-type": "application/json", ...authorization(tokens, publishTokenSecret) },
      body: encodeBase64(toUtf8Bytes(agreed)),
      timeout: `${timeoutMs / 1000}s`,
      // One node posts, the others take its answer.
      cacheSettings: { store: true, maxAge: "60s" },
    };
    return new HTTPClient().sendRequest(node, request).result().statusCode;
  };
  const status = runtime.runInNodeMode(post, consensusIdenticalAggregation<number>())().result();
  if (status < 200 || status > 299) throw new Error(`The statement was not taken: status ${status}.`);
}

function report(runtime: Runtime<Config>, payload: string, { escrow }: Settings): void {
  const { chainSelectorName, isTestnet, gasLimit } = runtime.config;
  const network = getNetwork({ chainFamily: "evm", chainSelectorName, isTestnet });
  if (network === undefined) throw new Error(`Chainlink knows no chain ${chainSelectorName}.`);
  const signed = runtime.report(prepareReportRequest(payload as `0x${string}`)).result();
  const { txStatus, txHash, errorMessage } = new EVMClient(network.chainSelector.selector)
    .writeReport(runtime, { receiver: escrow, report: signed, gasConfig: { gasLimit } })
    .result();
  if (txStatus !== TxStatus.SUCCESS) throw new Error(`The report was not delivered: ${errorMessage ?? txStatus}.`);
  runtime.log(`reported in ${bytesToHex(txHash ?? new Uint8Array())}`);
}

/** The triggers. */
export const workflow = ({ schedule, authorizedKeys }: Config): Workflow<Config> => [
  handler(new CronCapability().trigger({ schedule }), onSchedule),
  handler(
    new HTTPCapability().trigger({
      authorizedKeys: authorizedKeys.map((publicKey) => ({ type: "KEY_TYPE_ECDSA_EVM", publicKey })),
    }),
    onRequest,
  ),
];

export async function main(): Promise<void> {
  const runner = await Runner.newRunner<Config>();
  await runner.run(workflow);
}
