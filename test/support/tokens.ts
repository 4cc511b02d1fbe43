import { type Signer, type TypedDataField, Signature } from "ethers";
import { ethers } from "hardhat";

import type { TestStablecoin } from "../../typechain-types";

const AUTHORIZATION_FIELDS: TypedDataField[] = [
  { name: "from", type: "address" },
  { name: "to", type: "address" },
  { name: "value", type: "uint256" },
  { name: "validAfter", type: "uint256" },
  { name: "validBefore", type: "uint256" },
  { name: "nonce", type: "bytes32" },
];

const PERMIT_FIELDS: TypedDataField[] = [
  { name: "owner", type: "address" },
  { name: "spender", type: "address" },
  { name: "value", type: "uint256" },
  { name: "nonce", type: "uint256" },
  { name: "deadline", type: "uint256" },
];

/** Deploys a {@link TestStablecoin}; six decimals unless told otherwise. */
export async function deployStablecoin(
  options: { name?: string; symbol?: string; decimals?: number } = {},
): Promise<TestStablecoin> {
  const { name = "Test Dollar", symbol = "TUSD", decimals = 6 } = options;
  return ethers.deployContract("TestStablecoin", [name, symbol, decimals]);
}

/** An ERC-2612 permit: `owner` lets `spender` take `value` base units until `deadline` (unix seconds). */
export async function signPermit(
  token: TestStablecoin,
  owner: Signer,
  permit: { spender: string; value: bigint; deadline: bigint },
): Promise<Signature> {
  const address = await owner.getAddress();
  const message = { owner: address, nonce: await token.nonces(address), ...permit };
  return Signature.from(await owner.signTypedData(await domainOf(token), { Permit: PERMIT_FIELDS }, message));
}

/** What an ERC-3009 authorization says: `value` in base units, times in unix seconds, both exclusive. */
export interface TransferAuthorization {
  to: string;
  value: bigint;
  validAfter: bigint;
  validBefore: bigint;
  nonce: string;
}

/** An ERC-3009 authorization that only `to` itself can bring. */
export async function signReceiveAuthorization(
  token: TestStablecoin,
  from: Signer,
  authorization: TransferAuthorization,
): Promise<Signature> {
  return signAuthorization("ReceiveWithAuthorization", token, from, authorization);
}

/** An ERC-3009 authorization that anyone can bring. */
export async function signTransferAuthorization(
  token: TestStablecoin,
  from: Signer,
  authorization: TransferAuthorization,
): Promise<Signature> {
  return signAuthorization("TransferWithAuthorization", token, from, authorization);
}

async function signAuthorization(
  primaryType: "ReceiveWithAuthorization" | "TransferWithAuthorization",
  token: TestStablecoin,
  from: Signer,
  authorization: TransferAuthorization,
): Promise<Signature> {
  const message = { from: await from.getAddress(), ...authorization };
  const signature = await from.signTypedData(await domainOf(token), { [primaryType]: AUTHORIZATION_FIELDS }, message);
  return Signature.from(signature);
}

async function domainOf(token: TestStablecoin) {
  const { name, version, chainId, verifyingContract } = await token.eip712Domain();
  return { name, version, chainId, verifyingContract };
}
