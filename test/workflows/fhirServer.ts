import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What a request is answered with. */
type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface Resource {
  resourceType: string;
  id: string;
  [name: string]: unknown;
}

const FHIR_JSON = "application/fhir+json; charset=utf-8";

/** A FHIR server's read interaction on this machine: `GET [base]/Type/id`, with ETag and `meta.versionId`. */
export class FhirServer {
  /** `Authorization` of every request, in order. */
  readonly authorizations: (string | undefined)[] = [];
  private readonly handlers = new Map<string, Handler>();
  private readonly server: Server;

  constructor() {
    this.server = createServer((request, response) => {
      this.authorizations.push(request.headers.authorization);
      const handler = this.handlers.get(request.url ?? "") ?? answering(404, outcome("not-found"));
      handler(request, response);
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  get base(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/fhir`;
  }

  /** How many requests came since the last call. */
  taken(): number {
    return this.authorizations.splice(0).length;
  }

  /** Serves resources, each as its versions follow one another: a read gives the next, the last for good. */
  serve(...versions: Resource[]): void {
    const [first] = versions as [Resource];
    let reads = 0;
    this.on(`${first.resourceType}/${first.id}`, (_, response) => {
      const index = Math.min(reads++, versions.length - 1);
      const resource = versions[index] as Resource;
      const versionId = String(index + 1);
      const meta = { versionId, lastUpdated: `2030-01-01T00:00:0${reads % 10}Z` };
      response.writeHead(200, { "content-type": FHIR_JSON, etag: `W/"${versionId}"` });
      response.end(JSON.stringify({ ...resource, meta }));
    });
  }

  /** Answers a reference in its own way. */
  on(reference: string, handler: Handler): void {
    this.handlers.set(`/fhir/${reference}`, handler);
  }
}

/** An answer with this status and body. */
export const answering =
  (status: number, body: unknown, headers: Record<string, string> = { "content-type": FHIR_JSON }): Handler =>
  (_, response) => {
    response.writeHead(status, headers);
    response.end(typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body));
  };

export const outcome = (code: string): object => ({
  resourceType: "OperationOutcome",
  issue: [{ severity: "error", code }],
});
