import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroAddress } from "ethers";

import {
  KIND,
  OTHER_KEY,
  pharmacyEntry,
  deploy,
  deployWithListener,
  deployWithPharmacy,
  deployWithSuspendedPharmacy,
} from "./fixture";

describe("OrganizationRegistry: the standing listener", () => {
  describe("setStandingListener", () => {
    it("names the listener, and no listener again", async () => {
      const { registry, admin, listener } = await loadFixture(deploy);
      for (const address of [await listener.getAddress(), ZeroAddress]) {
        await expect(registry.connect(admin).setStandingListener(address))
          .to.emit(registry, "StandingListenerChanged")
          .withArgs(address);
        expect(await registry.standingListener()).to.equal(address);
      }
    });

    it("refuses an account without code, which would block every later change", async () => {
      const { registry, admin, stranger } = await loadFixture(deploy);
      await expect(registry.connect(admin).setStandingListener(stranger))
        .to.be.revertedWithCustomError(registry, "StandingListenerWithoutCode")
        .withArgs(stranger.address);
    });
  });

  describe("a standing listener", () => {
    const other = { ...pharmacyEntry, kinds: KIND.pharmacy | KIND.clinic };

    it("is told the kinds on registration", async () => {
      const { registry, pharmacy, listener } = await loadFixture(deployWithListener);
      await expect(registry.register(pharmacy, pharmacyEntry))
        .to.emit(listener, "StandingTold")
        .withArgs(await registry.getAddress(), pharmacy.address, KIND.pharmacy);
    });

    it("is told the new kinds of one in good standing", async () => {
      const { registry, pharmacy, listener } = await loadFixture(deployWithPharmacy);
      await expect(registry.update(pharmacy, other))
        .to.emit(listener, "StandingTold")
        .withArgs(await registry.getAddress(), pharmacy.address, other.kinds);
    });

    it("is told nothing when the kinds stay", async () => {
      const { registry, pharmacy, listener } = await loadFixture(deployWithPharmacy);
      await expect(registry.update(pharmacy, { ...pharmacyEntry, name: "New Name" })).not.to.emit(
        listener,
        "StandingTold",
      );
    });

    it("is told zero on suspension", async () => {
      const { registry, pharmacy, listener } = await loadFixture(deployWithPharmacy);
      await expect(registry.suspend(pharmacy))
        .to.emit(listener, "StandingTold")
        .withArgs(await registry.getAddress(), pharmacy.address, 0n);
      expect(await listener.standingOf(pharmacy)).to.equal(0n);
    });

    it("learns kinds changed during a suspension only on reinstatement", async () => {
      const { registry, pharmacy, listener } = await loadFixture(deployWithSuspendedPharmacy);
      await expect(registry.update(pharmacy, other)).not.to.emit(listener, "StandingTold");
      await expect(registry.reinstate(pharmacy))
        .to.emit(listener, "StandingTold")
        .withArgs(await registry.getAddress(), pharmacy.address, other.kinds);
    });

    it("is not asked about keys and endpoints", async () => {
      const { registry, pharmacy, listener } = await loadFixture(deployWithPharmacy);
      const own = registry.connect(pharmacy);
      await expect(own.setHpkeKey(OTHER_KEY)).not.to.emit(listener, "StandingTold");
      await expect(own.setEndpoint("")).not.to.emit(listener, "StandingTold");
    });

    it("that refuses undoes the change", async () => {
      const { registry, pharmacy, laboratory, listener } = await loadFixture(deployWithPharmacy);
      await listener.setRefusing(true);
      const changes = [
        () => registry.suspend(pharmacy),
        () => registry.update(pharmacy, other),
        () => registry.register(laboratory, { ...pharmacyEntry, npi: 0n }),
      ];
      for (const change of changes) await expect(change()).to.be.revertedWithCustomError(listener, "Refused");
      expect(await registry.standingOf(pharmacy)).to.equal(KIND.pharmacy);
      expect(await registry.standingOf(laboratory)).to.equal(0n);
    });

    it("that was replaced is told nothing any more", async () => {
      const { registry, admin, pharmacy, listener } = await loadFixture(deployWithPharmacy);
      await registry.connect(admin).setStandingListener(ZeroAddress);
      await expect(registry.suspend(pharmacy)).not.to.emit(listener, "StandingTold");
      expect(await listener.standingOf(pharmacy)).to.equal(KIND.pharmacy);
    });
  });

  describe("tellStandings", () => {
    describe("given a listener set after organizations were registered", () => {
      it("tells it each present standing, whoever calls", async () => {
        const { registry, admin, stranger, pharmacy, laboratory, listener } = await loadFixture(deploy);
        await registry.register(pharmacy, pharmacyEntry);
        await registry.register(laboratory, { ...pharmacyEntry, npi: 0n, kinds: KIND.laboratory });
        await registry.suspend(laboratory);
        await registry.connect(admin).setStandingListener(listener);

        const address = await registry.getAddress();
        await expect(registry.connect(stranger).tellStandings([pharmacy, laboratory, stranger]))
          .to.emit(listener, "StandingTold")
          .withArgs(address, pharmacy.address, KIND.pharmacy)
          .and.to.emit(listener, "StandingTold")
          .withArgs(address, laboratory.address, 0n)
          .and.to.emit(listener, "StandingTold")
          .withArgs(address, stranger.address, 0n);
        expect(await listener.standingOf(pharmacy)).to.equal(KIND.pharmacy);
      });
    });

    it("does nothing without a listener", async () => {
      const { registry, pharmacy, listener } = await loadFixture(deploy);
      await registry.register(pharmacy, pharmacyEntry);
      await expect(registry.tellStandings([pharmacy])).not.to.emit(listener, "StandingTold");
    });
  });
});
