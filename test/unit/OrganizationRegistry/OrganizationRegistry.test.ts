import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { AbiCoder, ZeroAddress, ZeroHash, id, keccak256, toBeHex } from "ethers";
import { ethers } from "hardhat";

import type { OrganizationRegistry } from "../../../typechain-types";
import {
  KIND,
  STATUS,
  NPI,
  NO_CLIA,
  KEY,
  OTHER_KEY,
  pharmacyEntry,
  fieldsOf,
  deploy,
  deployWithListener,
  deployWithPharmacy,
  deployWithSuspendedPharmacy,
} from "./fixture";

describe("OrganizationRegistry", () => {
  describe("initialize", () => {
    it("names the access manager", async () => {
      const { registry, manager } = await loadFixture(deploy);
      expect(await registry.authority()).to.equal(await manager.getAddress());
    });

    it("is refused a second time", async () => {
      const { registry, stranger } = await loadFixture(deploy);
      await expect(registry.initialize(stranger)).to.be.revertedWithCustomError(registry, "InvalidInitialization");
    });

    it("is refused on the implementation itself", async () => {
      const { implementation, stranger } = await loadFixture(deploy);
      await expect(implementation.initialize(stranger)).to.be.revertedWithCustomError(
        implementation,
        "InvalidInitialization",
      );
    });

    it("leaves the registry empty", async () => {
      const { registry, pharmacy } = await loadFixture(deploy);
      const [entry, status, version] = await registry.organizationOf(pharmacy);
      expect([...entry]).to.deep.equal([0n, 0n, 0n, NO_CLIA, ZeroHash, "", ""]);
      expect([status, version]).to.deep.equal([STATUS.unknown, 0n]);
      expect(await registry.standingOf(pharmacy)).to.equal(0n);
      expect(await registry.byNpi(NPI)).to.equal(ZeroAddress);
      expect(await registry.standingListener()).to.equal(ZeroAddress);
    });
  });

  describe("storage", () => {
    it("begins at the ERC-7201 slot of its name", async () => {
      const { registry, listener } = await loadFixture(deployWithListener);
      const preimage = AbiCoder.defaultAbiCoder().encode(
        ["uint256"],
        [BigInt(id("carepact.storage.OrganizationRegistry")) - 1n],
      );
      const slot = BigInt(keccak256(preimage)) & ~0xffn;
      const word = await ethers.provider.getStorage(await registry.getAddress(), toBeHex(slot, 32));
      expect(BigInt(word)).to.equal(BigInt(await listener.getAddress()));
    });
  });

  describe("who may do what", () => {
    const vetted: [string, (registry: OrganizationRegistry, account: string) => Promise<unknown>][] = [
      ["register", (registry, account) => registry.register(account, pharmacyEntry)],
      ["update", (registry, account) => registry.update(account, pharmacyEntry)],
      ["suspend", (registry, account) => registry.suspend(account)],
      ["reinstate", (registry, account) => registry.reinstate(account)],
    ];
    for (const [name, call] of vetted) {
      it(`lets only the credentialing role ${name}`, async () => {
        const { registry, admin, stranger, pharmacy } = await loadFixture(deployWithPharmacy);
        for (const caller of [admin, stranger, pharmacy])
          await expect(call(registry.connect(caller), pharmacy.address))
            .to.be.revertedWithCustomError(registry, "AccessManagedUnauthorized")
            .withArgs(caller.address);
      });
    }

    it("lets only the admin name the listener", async () => {
      const { registry, officer, stranger, listener } = await loadFixture(deploy);
      for (const caller of [officer, stranger])
        await expect(registry.connect(caller).setStandingListener(listener))
          .to.be.revertedWithCustomError(registry, "AccessManagedUnauthorized")
          .withArgs(caller.address);
    });
  });

  describe("suspend", () => {
    it("takes the good standing and keeps the entry", async () => {
      const { registry, pharmacy } = await loadFixture(deployWithPharmacy);
      await expect(registry.suspend(pharmacy)).to.emit(registry, "OrganizationSuspended").withArgs(pharmacy.address);
      const [entry, status, version] = await registry.organizationOf(pharmacy);
      expect([...entry]).to.deep.equal(fieldsOf(pharmacyEntry));
      expect([status, version]).to.deep.equal([STATUS.suspended, 1n]);
      expect(await registry.standingOf(pharmacy)).to.equal(0n);
      expect(await registry.byNpi(NPI)).to.equal(pharmacy.address);
    });

    it("refuses one that is suspended", async () => {
      const { registry, pharmacy } = await loadFixture(deployWithSuspendedPharmacy);
      await expect(registry.suspend(pharmacy))
        .to.be.revertedWithCustomError(registry, "OrganizationStatusWrong")
        .withArgs(pharmacy.address, STATUS.suspended);
    });

    it("refuses an account that is not registered", async () => {
      const { registry, laboratory } = await loadFixture(deployWithPharmacy);
      await expect(registry.suspend(laboratory))
        .to.be.revertedWithCustomError(registry, "OrganizationUnknown")
        .withArgs(laboratory.address);
    });
  });

  describe("reinstate", () => {
    it("gives the good standing back", async () => {
      const { registry, pharmacy } = await loadFixture(deployWithSuspendedPharmacy);
      await expect(registry.reinstate(pharmacy)).to.emit(registry, "OrganizationReinstated").withArgs(pharmacy.address);
      const [, status] = await registry.organizationOf(pharmacy);
      expect(status).to.equal(STATUS.active);
      expect(await registry.standingOf(pharmacy)).to.equal(KIND.pharmacy);
    });

    it("refuses one in good standing", async () => {
      const { registry, pharmacy } = await loadFixture(deployWithPharmacy);
      await expect(registry.reinstate(pharmacy))
        .to.be.revertedWithCustomError(registry, "OrganizationStatusWrong")
        .withArgs(pharmacy.address, STATUS.active);
    });

    it("refuses an account that is not registered", async () => {
      const { registry, laboratory } = await loadFixture(deployWithPharmacy);
      await expect(registry.reinstate(laboratory))
        .to.be.revertedWithCustomError(registry, "OrganizationUnknown")
        .withArgs(laboratory.address);
    });
  });

  describe("setHpkeKey", () => {
    const registered = { "in good standing": deployWithPharmacy, suspended: deployWithSuspendedPharmacy };
    for (const [standing, fixture] of Object.entries(registered)) {
      it(`changes the caller's key and counts its version, when it is ${standing}`, async () => {
        const { registry, pharmacy } = await loadFixture(fixture);
        const own = registry.connect(pharmacy);
        await expect(own.setHpkeKey(OTHER_KEY))
          .to.emit(registry, "HpkeKeyChanged")
          .withArgs(pharmacy.address, OTHER_KEY, 2n);
        await expect(own.setHpkeKey(id("third key")))
          .to.emit(registry, "HpkeKeyChanged")
          .withArgs(pharmacy.address, id("third key"), 3n);

        const [entry, , version] = await registry.organizationOf(pharmacy);
        expect([...entry]).to.deep.equal(fieldsOf({ ...pharmacyEntry, hpkeKey: id("third key") }));
        expect(version).to.equal(3n);
      });
    }

    it("refuses a key of zero", async () => {
      const { registry, pharmacy } = await loadFixture(deployWithPharmacy);
      await expect(registry.connect(pharmacy).setHpkeKey(ZeroHash)).to.be.revertedWithCustomError(
        registry,
        "HpkeKeyZero",
      );
    });

    it("refuses the key that is in use", async () => {
      const { registry, pharmacy } = await loadFixture(deployWithPharmacy);
      await expect(registry.connect(pharmacy).setHpkeKey(KEY))
        .to.be.revertedWithCustomError(registry, "HpkeKeyUnchanged")
        .withArgs(KEY);
    });

    it("refuses a caller that is not registered, the credentialing role too", async () => {
      const { registry, officer } = await loadFixture(deployWithPharmacy);
      await expect(registry.setHpkeKey(OTHER_KEY))
        .to.be.revertedWithCustomError(registry, "OrganizationUnknown")
        .withArgs(officer.address);
    });
  });

  describe("setEndpoint", () => {
    const registered = { "in good standing": deployWithPharmacy, suspended: deployWithSuspendedPharmacy };
    for (const [standing, fixture] of Object.entries(registered)) {
      it(`changes the caller's endpoint, when it is ${standing}`, async () => {
        const { registry, pharmacy } = await loadFixture(fixture);
        for (const endpoint of ["https://new.example/fhir", ""]) {
          await expect(registry.connect(pharmacy).setEndpoint(endpoint))
            .to.emit(registry, "EndpointChanged")
            .withArgs(pharmacy.address, endpoint);
          const [entry] = await registry.organizationOf(pharmacy);
          expect([...entry]).to.deep.equal(fieldsOf({ ...pharmacyEntry, endpoint }));
        }
      });
    }

    it("refuses one without TLS", async () => {
      const { registry, pharmacy } = await loadFixture(deployWithPharmacy);
      await expect(registry.connect(pharmacy).setEndpoint("http://new.example"))
        .to.be.revertedWithCustomError(registry, "EndpointInvalid")
        .withArgs("http://new.example");
    });

    it("refuses a caller that is not registered", async () => {
      const { registry, stranger } = await loadFixture(deployWithPharmacy);
      await expect(registry.connect(stranger).setEndpoint("https://new.example"))
        .to.be.revertedWithCustomError(registry, "OrganizationUnknown")
        .withArgs(stranger.address);
    });
  });

  describe("upgradeToAndCall", () => {
    it("is refused to all but the admin", async () => {
      const { registry, officer, stranger } = await loadFixture(deployWithPharmacy);
      const next = await ethers.deployContract("OrganizationRegistry");
      for (const caller of [officer, stranger])
        await expect(registry.connect(caller).upgradeToAndCall(next, "0x"))
          .to.be.revertedWithCustomError(registry, "AccessManagedUnauthorized")
          .withArgs(caller.address);
    });

    it("keeps every entry when the admin upgrades", async () => {
      const { registry, admin, pharmacy, listener } = await loadFixture(deployWithPharmacy);
      const next = await ethers.deployContract("OrganizationRegistry");
      await expect(registry.connect(admin).upgradeToAndCall(next, "0x"))
        .to.emit(registry, "Upgraded")
        .withArgs(await next.getAddress());
      const [entry, status, version] = await registry.organizationOf(pharmacy);
      expect([...entry]).to.deep.equal(fieldsOf(pharmacyEntry));
      expect([status, version]).to.deep.equal([STATUS.active, 1n]);
      expect(await registry.byNpi(NPI)).to.equal(pharmacy.address);
      expect(await registry.standingListener()).to.equal(await listener.getAddress());
    });

    it("is refused for an implementation that could not be upgraded again", async () => {
      const { registry, admin, listener } = await loadFixture(deploy);
      const proxy = await ethers.getContractFactory("ERC1967Proxy");
      await expect(registry.connect(admin).upgradeToAndCall(listener, "0x"))
        .to.be.revertedWithCustomError(proxy, "ERC1967InvalidImplementation")
        .withArgs(await listener.getAddress());
    });

    it("is refused on the implementation itself", async () => {
      const { implementation, admin } = await loadFixture(deploy);
      const next = await ethers.deployContract("OrganizationRegistry");
      await expect(implementation.connect(admin).upgradeToAndCall(next, "0x")).to.be.revertedWithCustomError(
        implementation,
        "UUPSUnauthorizedCallContext",
      );
    });
  });
});
