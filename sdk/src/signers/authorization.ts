import type { Provider, TypedDataField } from "ethers";

import { accountOf, chainTimeOf, providerOf, requireChain, type Connection } from "../chain/deployment";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { CarepactError } from "../errors";

import type { PatientSigner, TypedMessage } from "./types";

/** Who acts, as the contracts take it (`Authorization` of IAuthorizations.sol). JSON as it is. */
export interface Authorization {
  /** ERC-7913 signer, in hex. */
  signer: string;
  /** Last second (unix) in which it is good. */
  deadline: number;
  signature: string;
}

/** How long what is signed is good. */
export interface AuthorizationOptions {
  /**
   * A date, or unix seconds. An hour from now unless given, and a week for what is handed to somebody else. Not looked at where nothing is signed.
   */
  deadline?: Date | number | undefined;
}

const HOUR = 60 * 60;
/** @internal For what others collect first. */
export const WEEK = 7 * 24 * HOUR;
const LATEST = 2 ** 48 - 1;

/** @internal The caller acts itself, and signs nothing but the transaction. */
export const BY_CALLER: Authorization = { signer: "0x", deadline: 0, signature: "0x" };

/** @internal Signer of whoever acts: the one given, or else the account that sends. @throws RUNNER_CANNOT_SIGN */
export const actorOf = async ({ runner }: Connection, signer: PatientSigner | undefined): Promise<string> =>
  signer?.signer ?? (await accountOf(runner)).toLowerCase();

/**
 * @internal Last second in which what is signed now is good.
 * @throws INPUT_INVALID, AUTHORIZATION_EXPIRED for one that the chain's clock has passed
 */
export async function deadlineOf(
  connection: Connection,
  { deadline }: AuthorizationOptions = {},
  lasting = HOUR,
): Promise<number> {
  const now = await chainTimeOf(providerOf(connection.runner));
  // A chain on which nobody did anything for hours has an old newest block, and the next one has the time of the day.
  if (deadline === undefined) return Math.max(now, Math.floor(Date.now() / 1000)) + lasting;
  const seconds = typeof deadline === "number" ? deadline : Math.floor(Number(deadline) / 1000);
  if (!Number.isSafeInteger(seconds) || seconds < 0 || seconds > LATEST)
    throw new CarepactError("INPUT_INVALID", "deadline is a date, or whole unix seconds.", { path: "deadline" });
  if (seconds < now)
    throw new CarepactError(
      "AUTHORIZATION_EXPIRED",
      "The deadline has passed by the chain's clock: name a later one.",
      {
        deadline: seconds,
        now,
      },
    );
  return seconds;
}

/**
 * @internal Lets `signer` sign for an action; without one, the account that sends acts itself.
 * @param message Type and fields of the action's EIP-712 message without its deadline, which comes last in each
 * @throws what the signer throws, AUTHORIZATION_EXPIRED, INPUT_INVALID
 */
export async function authorize(
  connection: Connection,
  signer: PatientSigner | undefined,
  message: { domain: TypedMessage["domain"]; type: string; fields: TypedDataField[]; values: TypedMessage["message"] },
  options?: AuthorizationOptions,
  lasting?: number,
): Promise<Authorization> {
  if (signer === undefined) return BY_CALLER;
  const deadline = await deadlineOf(connection, options, lasting);
  const { domain, type, fields, values } = message;
  const signature = await signer.sign({ domain, types: { [type]: fields }, message: { ...values, deadline } });
  return { signer: signer.signer, deadline, signature };
}

/**
 * @internal Prepares what somebody signs and hands on. Asks on the deployment's chain first: nobody signs by what another
 * one says.
 */
export const signing = <Value>(
  connection: Connection,
  work: (provider: Provider) => Promise<Value>,
  options?: CallOptions,
): Promise<Value> =>
  reading(
    connection,
    async (provider) => {
      await requireChain(connection);
      return work(provider);
    },
    options,
  );

/** @internal What somebody else signed and sent, if it looks like it. @throws INPUT_INVALID, AUTHORIZATION_EXPIRED */
export function requireAuthorization(value: unknown, path: string, now: number): Authorization {
  const { signer, deadline, signature } = (value ?? {}) as Partial<Record<keyof Authorization, unknown>>;
  if (!isBytes(signer) || !isBytes(signature) || typeof deadline !== "number" || !Number.isSafeInteger(deadline))
    throw new CarepactError("INPUT_INVALID", `${path} is not what a key signed: signer, deadline and signature.`, {
      path,
    });
  if (deadline < now)
    throw new CarepactError("AUTHORIZATION_EXPIRED", `${path} was good until ${deadline}: have it signed anew.`, {
      path,
      deadline,
      now,
    });
  return { signer, deadline, signature };
}

const isBytes = (value: unknown): value is string => typeof value === "string" && /^0x([0-9a-f]{2})+$/i.test(value);
