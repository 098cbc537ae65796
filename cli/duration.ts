import { HermesError } from "#core/errors";

const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A parser for an option's value: a duration such as `90s`, `30m`, `12h` or `7d`, in milliseconds. Throws HERMES_USAGE. */
export function duration(option: string): (text: string) => number {
  return (text) => {
    const [, number, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
    if (unit !== undefined) return Number(number) * UNITS_MS[unit as keyof typeof UNITS_MS];
    throw new HermesError("HERMES_USAGE", {
      problem: `${option} takes a duration such as 90s, 30m, 12h or 7d, not "${text}".`,
    });
  };
}
