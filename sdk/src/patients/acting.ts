import type { TransactionReceipt } from "ethers";

import { actionOf, type Action } from "../chain/action";
import type { Connection } from "../chain/deployment";
import { actorOf, type Authorization, type AuthorizationOptions } from "../signers/authorization";
import type { PatientSigner } from "../signers/types";

import { requireController, type PatientRecord } from "./record";

/** What the controller of a record signs, and what becomes of it. */
interface Plan<Type, Result> {
  type: Type;
  /** Besides the patient. */
  values: Record<string, unknown>;
  data: (authorization: Authorization) => string;
  result: (receipt: TransactionReceipt) => Result;
}

/** Which contract is acted on, what is read of it beforehand, and how its messages are signed. */
interface Place<Type, Standing> {
  to: string;
  read: (patient: string) => Promise<Standing>;
  sign: (type: Type, values: Record<string, unknown>, options?: AuthorizationOptions) => Promise<Authorization>;
}

/** @internal Makes actions of a record's controller, which sign once it is known that who signs is the controller. */
export const controllerActions =
  <Type, Standing extends { record: PatientRecord }>(
    connection: Connection,
    signer: PatientSigner | undefined,
    { to, read, sign }: Place<Type, Standing>,
  ) =>
  <Result>(
    patient: string,
    options: AuthorizationOptions | undefined,
    plan: (standing: Standing) => Plan<Type, Result>,
  ): Action<Result> =>
    actionOf(
      connection,
      async () => {
        const standing = await read(patient);
        const { record } = standing;
        requireController(record, await actorOf(connection, signer));
        const { type, values, data, result } = plan(standing);
        const authorization = await sign(type, { patient: record.patient, ...values }, options);
        return { to, data: data(authorization), preview: () => undefined, result };
      },
      { relayed: signer !== undefined },
    );
