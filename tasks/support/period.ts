import { NO_EXPIRY } from "@carepact/sdk/consents";

import { momentIn } from "./input";
import { isoTime } from "./show";

const DATE = /^\d{4}-\d\d-\d\d$/;

/** First moment of a period, unix seconds: as `momentIn` reads it, but a day from its first second on. */
export const startIn = (value: string, option: string, now: () => Promise<number>): Promise<number> =>
  momentIn(DATE.test(value) ? `${value}T00:00:00Z` : value, option, now);

/** First moment after a period, unix seconds: as `momentIn` reads it, but a day to its end. */
export const endIn = async (value: string, option: string, now: () => Promise<number>): Promise<number> =>
  (await momentIn(value, option, now)) + (DATE.test(value) ? 1 : 0);

/** The same, where there may be no end. */
export const expiryIn = (value: string, option: string, now: () => Promise<number>): Promise<number> =>
  value === "never" ? Promise.resolve(NO_EXPIRY) : endIn(value, option, now);

/** The end of a period, as people read it. */
export const endText = (seconds: number): string => (seconds === NO_EXPIRY ? "never" : isoTime(seconds));
