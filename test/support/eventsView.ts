import { expect } from "chai";

import type { EventChange, EventStream } from "@carepact/sdk/events";

/** What somebody holds who adds and removes events as told, and who never accepts what cannot be. */
export class EventsView {
  /** Ids of the events, in order. */
  readonly ids: string[] = [];
  removed = 0;
  cursor: string | undefined;

  take(change: EventChange): void {
    if (change.type === "added") {
      expect(this.ids, "an event that is there already").not.to.include(change.event.id);
      this.ids.push(change.event.id);
    }
    if (change.type === "removed") {
      expect(this.ids.pop(), "the last event is the first to go").to.equal(change.event.id);
      this.removed += 1;
    }
    this.cursor = JSON.parse(JSON.stringify(change.cursor)) as string;
  }

  /** Takes changes until everything up to `block` is known. */
  async takeUntilCurrent(changes: EventStream<EventChange>, block: number): Promise<void> {
    for (;;) {
      const next = await changes.next();
      if (next.done === true) throw new Error("It ended.");
      const change = next.value;
      this.take(change);
      if (change.type === "reached" && change.current && change.blockNumber >= block) return;
    }
  }

  copy(): EventsView {
    const copy = new EventsView();
    copy.ids.push(...this.ids);
    copy.removed = this.removed;
    copy.cursor = this.cursor;
    return copy;
  }
}
