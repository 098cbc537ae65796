/** The settings that a command line gives with `--set KEY=VALUE`. */
import { HermesError, problemOf } from "#core/errors";
import { PLATFORM_SETTINGS } from "#core/home/platform-settings";
import { didYouMean } from "#core/suggest";
import type { SetupField } from "#gateway/adapters/setup";
import { pipedText } from "#cli/daemon/piped-text";
import type { FieldValues, SetupTarget } from "./change.ts";
import { fromTyped, literal, readField, type FieldValue } from "./fields.ts";

/** Reads the value from standard input. */
const FROM_STDIN = "-";

interface GivenOptions extends SetupTarget {
  /** False where nothing is tested: variables may then be unset. */
  readonly tests: boolean;
}

/**
 * Reads `KEY=VALUE` words. Gives the value for config.yaml by key, undefined for an empty one. Throws HERMES_USAGE for an
 * unknown key and a value that cannot be right.
 */
export async function readGiven(words: readonly string[], options: GivenOptions): Promise<FieldValues> {
  const values: Record<string, FieldValue | undefined> = {};
  const fields = [...options.fields, ...(await otherFields(options))];
  for (const word of words) {
    const [key, value] = await readWord(word, { ...options, fields });
    values[key] = value;
  }
  return values;
}

async function readWord(
  word: string,
  { platform, fields, tests, env }: GivenOptions,
): Promise<[key: string, value: FieldValue | undefined]> {
  const at = word.indexOf("=");
  const key = at === -1 ? word : word.slice(0, at);
  const field = fields.find((one) => one.key === key);
  if (field === undefined) {
    const keys = fields.map((one) => one.key);
    throw usage(`${platform} has no setting "${key}", only ${keys.join(", ")}.${didYouMean(key, keys)}`);
  }
  if (at === -1) throw usage(`--set takes KEY=VALUE, such as --set ${key}=VALUE.`);
  const given = word.slice(at + 1);
  const text = given === FROM_STDIN ? literal(await readStdin(key)) : fromTyped(given, field);
  if (text === "") {
    if (field.optional === true) return [key, undefined];
    throw usage(`--set ${key}=${given} has no value.`);
  }
  const read = await readField(platform, field, text, { env, mayBeUnset: !tests });
  if ("problem" in read) throw usage(`--set ${key}: ${read.problem}`);
  return [key, read.value];
}

/** The settings that are not asked for, such as the address of a server of one's own. */
async function otherFields({ platform, fields }: SetupTarget): Promise<readonly SetupField[]> {
  const { z } = await import("zod");
  const known = new Set(["enabled", ...fields.map(({ key }) => key)]);
  const keys = Object.keys(PLATFORM_SETTINGS[platform](z).shape).filter((key) => !known.has(key));
  return keys.map((key) => ({ key, label: key, hint: "", optional: true }));
}

async function readStdin(key: string): Promise<string> {
  try {
    return ((await pipedText()) ?? "").trim();
  } catch (error) {
    throw usage(`--set ${key}=-: standard input cannot be read: ${problemOf(error)}.`);
  }
}

function usage(problem: string): HermesError {
  return new HermesError("HERMES_USAGE", { problem });
}
