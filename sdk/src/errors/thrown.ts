/** Where nodes, wallets and libraries put what they wrap. */
const WRAPPERS = ["error", "data", "info", "cause", "originalError"];
/** Where they put a node's whole answer, as text. */
const ANSWERS = ["body", "responseBody"];
/** Whatever was thrown may be without end: a proxy that always has one more cause. */
const MOST_LAYERS = 64;
/** Longest text that is looked into. */
const LONGEST = 20_000;
const LONGEST_WORDS = 1_000;

/** One object of what was thrown. Reading it never throws, whatever its getters do. */
export interface Layer {
  get: (key: string) => unknown;
  /** Its own words, without those that it repeats of what it wraps. */
  words: string;
}

/** A property of whatever it is, if it has one that can be read. */
export function read(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

/** The object that a text holds as JSON: a node's answer, or MetaMask's report of one ("… from RPC '{…}'"). */
function jsonIn(text: string): unknown {
  const [start, end] = [text.indexOf("{"), text.lastIndexOf("}")];
  if (start < 0 || end < start || text.length > LONGEST) return undefined;
  try {
    return JSON.parse(text.slice(start, end + 1));
  } catch {
    return undefined;
  }
}

function layerOf(object: object): Layer {
  const get = (key: string): unknown => read(object, key);
  // ethers appends all that it knows, calldata included, to `message`.
  const own = ["shortMessage", "message"].map(get).find(isText) ?? "";
  const data = get("data");
  // Nethermind says in `data` what went wrong; revert data is no words.
  const more = isText(data) && !data.startsWith("0x") ? data.slice(0, LONGEST_WORDS) : "";
  return { get, words: [own.slice(0, LONGEST_WORDS), more].filter(isText).join(": ") };
}

/** What a layer wraps. Never the request: its calldata is no revert data. */
function wrappedIn({ get }: Layer): unknown[] {
  const message = get("message");
  const report = isText(message) && message.startsWith("[ethjs-") ? jsonIn(message) : undefined;
  return [
    ...WRAPPERS.map(get),
    ...ANSWERS.map(get).map((answer) => (isText(answer) ? jsonIn(answer) : undefined)),
    read(report, "value"),
  ];
}

/** What was thrown and all that it wraps, from the outside in. */
export function layersOf(thrown: unknown): Layer[] {
  if (typeof thrown === "string") return layersOf({ message: thrown });
  const seen = new Set<unknown>();
  const layers: Layer[] = [];
  const waiting = [thrown];
  while (waiting.length > 0 && layers.length < MOST_LAYERS) {
    const next = waiting.shift();
    if (typeof next !== "object" || next === null || seen.has(next)) continue;
    seen.add(next);
    const layer = layerOf(next);
    layers.push(layer);
    waiting.push(...wrappedIn(layer));
  }
  return layers;
}
