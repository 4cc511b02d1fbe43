import { hexlify, toUtf8Bytes, toUtf8String } from "ethers";

import { actionOf, type Action } from "../chain/action";
import { deploymentOf, type Connection } from "../chain/deployment";
import { registryInterface } from "../chain/interfaces";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { isNpi } from "../claims/input";
import { requireAddress } from "../claims/types";
import { CarepactError } from "../errors";
import { OrganizationRegistry__factory } from "../generated";

/** Kinds of organization, as bits. */
export const organizationKinds = {
  payer: 1,
  pharmacy: 2,
  laboratory: 4,
  clinic: 8,
  sponsor: 16,
  gateway: 32,
} as const;

export type OrganizationKind = keyof typeof organizationKinds;

export type OrganizationStatus = "unknown" | "active" | "suspended";

/** What the directory says of an organization. */
export interface Organization {
  name: string;
  kinds: OrganizationKind[];
  /** X25519 public key to which files for it are sealed, 32 bytes in hex. */
  hpkeKey: string;
  /** National Provider Identifier: ten digits with a valid check digit. */
  npi?: string;
  /** NCPDP provider id: seven digits. */
  ncpdpId?: string;
  /** CLIA number of a laboratory: ten characters. */
  clia?: string;
  /** Where its FHIR server or API answers: an https URL. */
  endpoint?: string;
}

/** An entry of the directory. */
export interface OrganizationEntry extends Organization {
  account: string;
  status: OrganizationStatus;
  /** Counts the keys it had; 1 is the first. */
  hpkeKeyVersion: number;
}

/** The directory of organizations of one deployment. */
export interface Organizations {
  /** Registers an organization in good standing. Credentialing role only. */
  register(account: string, organization: Organization): Action<{ account: string }>;
  /** Replaces an organization's entry; its key has to be the present one. Credentialing role only. */
  update(account: string, organization: Organization): Action<{ account: string }>;
  /** Takes an organization's good standing. Credentialing role only. */
  suspend(account: string): Action<{ account: string }>;
  /** Gives it back. Credentialing role only. */
  reinstate(account: string): Action<{ account: string }>;
  /** Changes the caller's own key. */
  setHpkeKey(hpkeKey: string): Action<{ hpkeKey: string }>;
  /** Changes the caller's own endpoint. */
  setEndpoint(endpoint: string): Action<{ endpoint: string }>;
  /** An organization's entry; undefined when the account is not registered. @throws IDENTIFIER_INVALID */
  get(account: string, options?: CallOptions): Promise<OrganizationEntry | undefined>;
  /** Account that holds this NPI; undefined when none does. @throws IDENTIFIER_INVALID */
  byNpi(npi: string, options?: CallOptions): Promise<string | undefined>;
}

const statuses = ["unknown", "active", "suspended"] as const;
const NOBODY = `0x${"00".repeat(20)}`;
const NO_CLIA = `0x${"00".repeat(10)}`;

export function createOrganizations(connection: Connection): Organizations {
  const to = deploymentOf(connection).organizationRegistry;
  const act = <Result extends object>(data: () => string, result: Result): Action<Result> =>
    actionOf(connection, () => ({ to, data: data(), preview: () => undefined, result: () => result }));
  const encode = registryInterface.encodeFunctionData.bind(registryInterface);
  return {
    register: (account, entry) =>
      act(() => encode("register", [requireAddress(account, "account"), toChain(entry)]), { account }),
    update: (account, entry) =>
      act(() => encode("update", [requireAddress(account, "account"), toChain(entry)]), { account }),
    suspend: (account) => act(() => encode("suspend", [requireAddress(account, "account")]), { account }),
    reinstate: (account) => act(() => encode("reinstate", [requireAddress(account, "account")]), { account }),
    setHpkeKey: (hpkeKey) => act(() => encode("setHpkeKey", [hpkeKey]), { hpkeKey }),
    setEndpoint: (endpoint) => act(() => encode("setEndpoint", [endpoint]), { endpoint }),
    get: (account, options) =>
      reading(
        connection,
        async (provider) => {
          const address = requireAddress(account, "account");
          const contract = OrganizationRegistry__factory.connect(to, provider);
          const [entry, status, version] = await contract.organizationOf(address);
          return fromChain(address, entry, statuses[Number(status)] ?? "unknown", Number(version));
        },
        options,
      ),
    byNpi: (npi, options) =>
      reading(
        connection,
        async (provider) => {
          const account = await OrganizationRegistry__factory.connect(to, provider).byNpi(requireNpi(npi));
          return account === NOBODY ? undefined : account;
        },
        options,
      ),
  };
}

type OnChain = Awaited<
  ReturnType<ReturnType<typeof OrganizationRegistry__factory.connect>["organizationOf"]>
>["organization"];

function fromChain(
  account: string,
  entry: OnChain,
  status: OrganizationStatus,
  hpkeKeyVersion: number,
): OrganizationEntry | undefined {
  if (status === "unknown") return undefined;
  return {
    account,
    status,
    name: entry.name,
    kinds: (Object.keys(organizationKinds) as OrganizationKind[]).filter(
      (kind) => (Number(entry.kinds) & organizationKinds[kind]) !== 0,
    ),
    hpkeKey: entry.hpkeKey,
    hpkeKeyVersion,
    ...(entry.npi === 0n ? {} : { npi: entry.npi.toString() }),
    ...(entry.ncpdpId === 0n ? {} : { ncpdpId: entry.ncpdpId.toString().padStart(7, "0") }),
    ...(entry.clia === NO_CLIA ? {} : { clia: toUtf8String(entry.clia) }),
    ...(entry.endpoint === "" ? {} : { endpoint: entry.endpoint }),
  };
}

function requireNpi(npi: string): bigint {
  if (!isNpi(npi))
    throw new CarepactError("IDENTIFIER_INVALID", "An NPI has ten digits with a valid check digit.", { npi });
  return BigInt(npi);
}

function toChain(entry: Organization) {
  const { ncpdpId, clia } = entry;
  if (ncpdpId !== undefined && !/^\d{7}$/.test(ncpdpId))
    throw new CarepactError("IDENTIFIER_INVALID", "An NCPDP id has seven digits.", { ncpdpId });
  if (clia !== undefined && !/^[0-9A-Z]{10}$/.test(clia))
    throw new CarepactError("IDENTIFIER_INVALID", "A CLIA number has ten digits and capital letters.", { clia });
  return {
    kinds: entry.kinds.reduce((bits, kind) => bits | organizationKinds[kind], 0),
    npi: entry.npi === undefined ? 0n : requireNpi(entry.npi),
    ncpdpId: ncpdpId === undefined ? 0n : BigInt(ncpdpId),
    clia: clia === undefined ? NO_CLIA : hexlify(toUtf8Bytes(clia)),
    hpkeKey: entry.hpkeKey,
    name: entry.name,
    endpoint: entry.endpoint ?? "",
  };
}
