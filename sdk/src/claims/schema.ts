import { Validator, type OutputUnit } from "@cfworker/json-schema";

import { toPlainJson } from "../encryption";
import { CarepactError, isCarepactError, type ErrorCode } from "../errors";

/** `#/lines/0/net` of JSON Pointer as `$.lines[0].net`. */
function pathOf(pointer: string): string {
  const names = pointer.split("/").slice(1);
  return names.reduce((path, name) => {
    const plain = decodeURIComponent(name).replaceAll("~1", "/").replaceAll("~0", "~");
    return /^[0-9]+$/.test(plain) ? `${path}[${plain}]` : `${path}.${plain}`;
  }, "$");
}

/**
 * A reader that gives a copy of a value as `Document` if `schema` (JSON Schema 2020-12) holds for it, and throws `code`
 * otherwise. `referenced` are schemas it refers to by `$id`. The schema is interpreted, since compiling it needs
 * `new Function`, which a page's Content-Security-Policy forbids.
 */
export function schemaReader<Document>(
  schema: object,
  code: ErrorCode,
  name: string,
  referenced: object[] = [],
): (value: unknown) => Document {
  let validator: Validator | undefined;
  return (value) => {
    if (validator === undefined) {
      validator = new Validator(schema, "2020-12");
      for (const other of referenced) validator.addSchema(other);
    }
    const plain = plainOf(value, code);
    const error = firstError(validator, plain);
    if (error === undefined) return plain as Document;

    const path = pathOf(error.instanceLocation);
    const [, parent, extra] = /^(.*)\.([^.]+)$/.exec(path) ?? [];
    // `additionalProperties: false` is a schema that nothing fits.
    if (error.keyword === "false" && parent !== undefined && extra !== undefined)
      throw new CarepactError(code, `Not a ${name}: ${parent} has a property that does not belong there.`, {
        path: parent,
        property: extra.slice(0, MOST_SHOWN),
      });
    throw new CarepactError(code, `Not a ${name}: ${path} is wrong. ${error.error.slice(0, MOST_SHOWN)}`, { path });
  };
}

const MOST_SHOWN = 80;

function plainOf(value: unknown, code: ErrorCode): unknown {
  try {
    return toPlainJson(value);
  } catch (thrown) {
    throw isCarepactError(thrown) ? new CarepactError(code, thrown.message, thrown.details) : thrown;
  }
}

/** Of all errors the one closest to what is wrong: the first of those that lie deepest. */
function firstError(validator: Validator, value: unknown): OutputUnit | undefined {
  const { valid, errors } = validator.validate(value);
  if (valid) return undefined;
  const depth = ({ instanceLocation }: OutputUnit): number => instanceLocation.split("/").length;
  return errors.reduce((deepest, error) => (depth(error) > depth(deepest) ? error : deepest));
}
