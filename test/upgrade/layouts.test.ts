import type { StorageLayout } from "@openzeppelin/upgrades-core";
import { expect } from "chai";
import { ZeroAddress } from "ethers";
import hre, { ethers, upgrades } from "hardhat";

import { currentLayoutOf, incompatibilitiesOf, shared, unsafetiesOf } from "../../deploy/layouts";
import { madeWith } from "../../deploy/system";

import { committedLayoutOf, implementations } from "./layouts";

const HOW_TO = "If the change is meant, run `npx hardhat run test/upgrade/writeLayouts.ts` and say in the commit why.";

/** What runs on the escrow's storage, beside the escrow. */
const EXTENSION = "ClaimEscrowExtension";

describe("Implementations", () => {
  it("are all checked here", async () => {
    const names = (await hre.artifacts.getAllFullyQualifiedNames()).filter((name) =>
      /^contracts\/(?!mocks)/.test(name),
    );
    const artifacts = await Promise.all(names.map((name) => hre.artifacts.readArtifact(name)));
    const upgradeable = artifacts.filter(
      ({ abi, bytecode }) =>
        bytecode !== "0x" && (abi as { name?: string }[]).some(({ name }) => name === "upgradeToAndCall"),
    );
    expect(upgradeable.map(({ contractName }) => contractName)).to.have.members(implementations);
  });

  for (const name of implementations) {
    describe(name, () => {
      it("is safe to use behind a UUPS proxy", async () => {
        // Any address will do: nothing is deployed.
        const constructorArgs = (madeWith[name] ?? []).map(() => ZeroAddress);
        const options = { kind: "uups", constructorArgs } as const;
        await upgrades.validateImplementation(await ethers.getContractFactory(name), options);
      });

      it("keeps all its state in ERC-7201 namespaces", async () => {
        const { storage, namespaces } = await currentLayoutOf(hre, name);
        expect(storage).to.deep.equal([]);
        const own = Object.keys(namespaces ?? {}).filter((id) => id.startsWith("erc7201:carepact.storage."));
        expect(own).not.to.be.empty;
      });

      it("can replace what is deployed, as the committed layout says", async () => {
        expect(incompatibilitiesOf(committedLayoutOf(name), await currentLayoutOf(hre, name))).to.equal("");
      });

      it("has the committed layout", async () => {
        expect(await currentLayoutOf(hre, name), HOW_TO).to.deep.equal(committedLayoutOf(name));
      });
    });
  }

  it("are made with nothing that is unsafe on their storage", async () => {
    expect(await unsafetiesOf(hre, "ClaimEscrow")).to.equal("");
    expect(await unsafetiesOf(hre, "ClaimEscrow", [EXTENSION, "FallbackToken"])).to.include("FallbackToken");
  });

  it("that are none are refused", async () => {
    const token = await ethers.getContractFactory("FallbackToken");
    const error = await upgrades.validateImplementation(token, { kind: "uups" }).catch(String);
    expect(error).to.include("upgradeTo");
  });
});

describe("The comparison of layouts", () => {
  const BATCHES = "erc7201:carepact.storage.ClaimBatches";
  const HELD = "erc7201:carepact.storage.HeldLines";
  type Fields = NonNullable<StorageLayout["namespaces"]>[string];

  /** What is reported when the fields of a namespace of the escrow become these. */
  const reported = (change: (fields: Fields) => Fields): string => {
    const deployed = committedLayoutOf("ClaimEscrow");
    const next = structuredClone(deployed);
    next.namespaces![BATCHES] = change(next.namespaces![BATCHES]!);
    return incompatibilitiesOf(deployed, next);
  };

  it("accepts what did not change", () => {
    expect(reported((fields) => fields)).to.equal("");
  });

  it("accepts a field behind the others", () => {
    expect(reported((fields) => [...fields, { ...fields[0]!, label: "arbiter", slot: "4" }])).to.equal("");
  });

  const broken: [string, (fields: Fields) => Fields][] = [
    ["two fields that changed places", ([first, second, ...rest]) => [second!, first!, ...rest]],
    ["a field before the others", (fields) => [{ ...fields[0]!, label: "arbiter" }, ...fields]],
    ["a field that is gone", (fields) => fields.slice(0, -1)],
    ["a field of another type", ([first, ...rest]) => [{ ...first!, type: "t_bytes32" }, ...rest]],
    ["a field of another name", ([first, ...rest]) => [{ ...first!, label: "operators" }, ...rest]],
  ];
  for (const [what, change] of broken)
    it(`catches ${what}`, () => {
      expect(reported(change)).not.to.equal("");
    });

  it("catches a namespace that is gone", () => {
    const deployed = committedLayoutOf("ClaimEscrow");
    const next = structuredClone(deployed);
    delete next.namespaces![BATCHES];
    expect(incompatibilitiesOf(deployed, next)).to.include(BATCHES);
  });

  it("catches a change of what only the escrow's extension keeps", () => {
    const deployed = committedLayoutOf("ClaimEscrow");
    const next = structuredClone(deployed);
    next.namespaces![HELD]![0]!.label = "presented";
    expect(incompatibilitiesOf(deployed, next)).to.include("presented");
    delete next.namespaces![HELD];
    expect(incompatibilitiesOf(deployed, next)).to.include(HELD);
  });

  it("catches members of a struct behind a mapping that changed places", () => {
    const deployed = committedLayoutOf("Mandates");
    const next = structuredClone(deployed);
    const struct = Object.values(next.types).find(({ label }) => label === "struct Mandates.MandateState");
    (struct!.members as unknown[]).reverse();
    expect(incompatibilitiesOf(deployed, next)).to.include("MandateState");
  });
});

describe("The layout of contracts that share their storage", () => {
  const field = { contract: "One", label: "held", type: "t_uint256", src: "One.sol", slot: "0", offset: 0 };
  const layoutOf = (changes: Partial<StorageLayout>): StorageLayout => ({
    storage: [],
    types: { t_uint256: { label: "uint256", numberOfBytes: "32" } },
    namespaces: { "erc7201:one": [field] },
    ...changes,
  });

  it("has the namespaces and types of all of them", () => {
    const types = { t_bool: { label: "bool", numberOfBytes: "1" } };
    const other = layoutOf({ types, namespaces: { "erc7201:other": [{ ...field, type: "t_bool" }] } });
    expect(shared(layoutOf({}), other)).to.deep.equal({
      storage: [],
      types: { ...layoutOf({}).types, ...types },
      namespaces: { ...layoutOf({}).namespaces, ...other.namespaces },
    });
  });

  it("has what all of them say once, and what lies in no namespace as often as it is said", () => {
    expect(shared(layoutOf({}), layoutOf({}))).to.deep.equal(layoutOf({}));
    expect(shared(layoutOf({ storage: [field] }), layoutOf({ storage: [field] })).storage).to.deep.equal([
      field,
      field,
    ]);
  });

  it("is none where they contradict each other", () => {
    const contradictions: [Partial<StorageLayout>, string][] = [
      [{ namespaces: { "erc7201:one": [{ ...field, label: "kept" }] } }, "erc7201:one"],
      [{ types: { t_uint256: { label: "uint256", numberOfBytes: "16" } } }, "t_uint256"],
    ];
    for (const [changes, what] of contradictions)
      expect(() => shared(layoutOf({}), layoutOf(changes))).to.throw(`differ about ${what}`);
  });

  it("is that of the escrow and its extension together", async () => {
    const [escrow, extension] = [await currentLayoutOf(hre, "ClaimEscrow"), await currentLayoutOf(hre, EXTENSION)];
    expect(extension.storage).to.deep.equal([]);
    expect(extension.namespaces).to.have.property("erc7201:carepact.storage.HeldLines");
    expect(shared(escrow, extension)).to.deep.equal(escrow);
  });
});
