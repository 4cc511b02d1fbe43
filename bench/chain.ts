import { impersonateAccount, setBalance, time } from "@nomicfoundation/hardhat-network-helpers";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { getAddress, parseEther, parseUnits, type ContractTransactionResponse } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types";

import type { KeystoneForwarder, TestStablecoin } from "../typechain-types";
import { deployForwarder, donOf, type Don } from "../test/support/keystone";
import { deploySystem, kinds, publish, register, rulebookOf, type System } from "../test/support/system";

import { START, fixedBytes } from "./fixed";

const BLOCK_TIME = 12;
const PAYEES = 500;

/** The rulebook that governs a batch, and the attesters who sign for it. */
export interface Attesters {
  rulebook: string;
  signers: HardhatEthersSigner[];
}

/** The deployed system with everybody who takes part. */
export interface Chain extends System {
  token: TestStablecoin;
  payer: HardhatEthersSigner;
  /** Brings what anyone may bring. */
  relayer: HardhatEthersSigner;
  /** Chainlink's forwarder of reports, and the network of 4 nodes that it knows. */
  forwarder: KeystoneForwarder;
  don: Don;
  /** In ascending order. */
  payees: string[];
  one: Attesters;
  threeOfFive: Attesters;
  /** All five of them. */
  attesters: HardhatEthersSigner[];
  /** Sends one transaction in a block of its own and returns the gas of all of it. */
  gasOf(send: () => Promise<ContractTransactionResponse>): Promise<number>;
  /** Sets the clock of the chain, in unix seconds. */
  jumpTo(timestamp: number): void;
  /** Acts as an account of which nobody has the key. */
  signerOf(account: string): Promise<HardhatEthersSigner>;
}

/** Deploys the system as `deploy/` does it, and gives the payer a pool. */
export async function prepareChain(hre: HardhatRuntimeEnvironment): Promise<Chain> {
  const { ethers } = hre;
  const signers = await ethers.getSigners();
  const [payer, relayer, issuer] = signers.slice(1, 4) as [
    HardhatEthersSigner,
    HardhatEthersSigner,
    HardhatEthersSigner,
  ];
  // By an account that deploys nothing else: so are forwarder and token, whose addresses nothing else changes.
  const don = donOf(1, 4, 1);
  const forwarder = await deployForwarder(signers[4]!, don);
  const system = await deploySystem(await forwarder.getAddress());
  const attesters = signers.slice(10, 15).sort((a, b) => (BigInt(a.address) < BigInt(b.address) ? -1 : 1));
  const addresses = attesters.map(({ address }) => address);

  const factory = await ethers.getContractFactory("TestStablecoin", issuer);
  const token = (await factory.deploy("Test Dollar", "TUSD", 6)) as unknown as TestStablecoin;
  await register(system.registry, payer.address, kinds.payer);
  await token.mint(payer.address, parseUnits("10000000", 6));
  await token.connect(payer).approve(system.escrow, parseUnits("10000000", 6));
  await system.escrow.connect(payer).deposit(payer.address, token, parseUnits("1000000", 6));

  let now = START;
  await time.increaseTo(now);
  return {
    ...system,
    token,
    forwarder,
    don,
    payer,
    relayer,
    payees: Array.from({ length: PAYEES }, (_, i) => getAddress(fixedBytes(`payee ${i}`, 20))).sort((a, b) =>
      BigInt(a) < BigInt(b) ? -1 : 1,
    ),
    one: {
      rulebook: await publish(system.rulebooks, rulebookOf(addresses.slice(0, 1), 1)),
      signers: attesters.slice(0, 1),
    },
    threeOfFive: {
      rulebook: await publish(system.rulebooks, rulebookOf(addresses, 3)),
      // The last three, whom the escrow finds last.
      signers: attesters.slice(2),
    },
    attesters,
    gasOf: async (send) => {
      now += BLOCK_TIME;
      await time.setNextBlockTimestamp(now);
      const receipt = await (await send()).wait();
      if (!receipt) throw new Error("The embedded network mines each transaction at once, but has no receipt.");
      return Number(receipt.gasUsed);
    },
    jumpTo: (timestamp) => {
      now = timestamp;
    },
    signerOf: async (account) => {
      await impersonateAccount(account);
      await setBalance(account, parseEther("1"));
      return ethers.getSigner(account);
    },
  };
}
