import { HermesError } from "#core/errors";

/** A parser for an option's value: a whole number from 1. Throws HERMES_USAGE, which names the option. */
export function wholeNumber(option: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value > 0) return value;
    throw new HermesError("HERMES_USAGE", { problem: `${option} takes a whole number from 1, not "${text}".` });
  };
}

/** A parser for the number of entries of a log, of which 0 is all. Throws HERMES_USAGE, which names the option. */
export function numberOrAll(option: string): (text: string) => number {
  return (text) => {
    if (/^\d{1,9}$/.test(text)) return Number.parseInt(text, 10) || Number.POSITIVE_INFINITY;
    throw new HermesError("HERMES_USAGE", { problem: `${option} takes a whole number, or 0 for all, not "${text}".` });
  };
}
