import type { ValidateFunction } from "ajv";
import Ajv2020 from "ajv/dist/2020";

import { CarepactError, type ErrorCode } from "../errors";

/** `/lines/0/net` of JSON Pointer as `$.lines[0].net`. */
function pathOf(pointer: string): string {
  const names = pointer.split("/").slice(1);
  return names.reduce((path, name) => {
    const plain = name.replaceAll("~1", "/").replaceAll("~0", "~");
    return /^[0-9]+$/.test(plain) ? `${path}[${plain}]` : `${path}.${plain}`;
  }, "$");
}

/**
 * A reader that gives a value back as `Document` if `schema` (JSON Schema 2020-12) holds for it, and throws `code`
 * otherwise. `referenced` are schemas it refers to by `$id`. The schema is compiled at first use, since an import has
 * to stay without effects.
 */
export function schemaReader<Document>(
  schema: object,
  code: ErrorCode,
  name: string,
  referenced: object[] = [],
): (value: unknown) => Document {
  let validate: ValidateFunction | undefined;
  return (value) => {
    validate ??= new Ajv2020({ strict: true, allowUnionTypes: true, schemas: referenced }).compile(schema);
    if (validate(value)) return value as Document;

    const [error] = validate.errors ?? [];
    const path = pathOf(error?.instancePath ?? "");
    const extra = (error?.params as { additionalProperty?: string } | undefined)?.additionalProperty;
    const property = extra === undefined ? {} : { property: extra.slice(0, 80) };
    const problem =
      extra === undefined ? (error?.message ?? "is not valid") : "has a property that does not belong there";
    throw new CarepactError(code, `Not a ${name}: ${path} ${problem}.`, { path, ...property });
  };
}
