import { verifyReceipt } from "@carepact/sdk/access";

import type { Call, Ending } from "../support/call";
import { readJson } from "../support/files";
import { addressIn, bytes32In, durationIn, listIn, needed } from "../support/input";
import { siteOf } from "../support/site";

import { refusedAs } from "./verify";
import { statementLines } from "./words";

interface Options {
  file?: string;
  patient?: string;
  who?: string;
  resourceTypes?: string;
  sensitivities?: string;
  maxAge?: string;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const { sensitivities, maxAge } = options;
  const expected = {
    patient: bytes32In(needed(options, "patient"), "--patient"),
    who: addressIn(needed(options, "who"), "--who"),
    resourceTypes: listIn(needed(options, "resourceTypes")),
    ...(sensitivities === undefined ? {} : { sensitivities: listIn(sensitivities) }),
    ...(maxAge === undefined ? {} : { maxAge: durationIn(maxAge, "--max-age") }),
  };
  const value = await readJson(needed(options, "file"), "--file");
  const { connection, options: within } = await siteOf(call);
  try {
    const statement = await verifyReceipt(connection, value, expected, within);
    return {
      lines: [
        ...statementLines(statement),
        "OK: a gateway in good standing signed that this is noted. Keep the receipt.",
      ],
      json: { statement },
    };
  } catch (thrown) {
    return refusedAs(thrown, "ACCESS_RECEIPT_INVALID");
  }
}
