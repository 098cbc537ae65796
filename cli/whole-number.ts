import { HermesError } from "#core/errors";

/** A parser for an option's value: a whole number from 1. Throws HERMES_USAGE, which names the option. */
export function wholeNumber(option: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value > 0) return value;
    throw new HermesError("HERMES_USAGE", { problem: `${option} takes a whole number from 1, not "${text}".` });
  };
}
