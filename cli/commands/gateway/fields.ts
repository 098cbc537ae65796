/** The values of a platform's section as text, as they are typed and shown: `${NAME}` is an environment variable. */
import { isHermesError } from "#core/errors";
import { parseConfig } from "#core/home/config";
import type { PlatformName } from "#core/home/platform-settings";
import type { SetupField } from "#gateway/adapters/setup";
import { variableIn } from "../model/change.ts";

/** What config.yaml may have for a key. */
export type FieldValue = string | number | readonly (string | number)[];

/** Up to the largest number that YAML and JavaScript read without loss. */
const SHORT_NUMBER = /^(?:0|[1-9]\d{0,14})$/;

/** A value of config.yaml as text; empty for none. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(", ");
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** A text that config.yaml is to have as it is. */
export function literal(text: string): string {
  return text.replaceAll("${", () => "$${");
}

/** What was typed as config.yaml is to have it: `$NAME` and `${NAME}` are a variable, any other `${` is text. */
export function fromTyped(typed: string, { list }: Pick<SetupField, "list">): string {
  if (list === true) return itemsOf(typed).map(asVariable).join(", ");
  return asVariable(typed);
}

function asVariable(typed: string): string {
  const [, name] = /^\$\{?([A-Za-z_]\w*)\}?$/.exec(typed) ?? [];
  return name === undefined ? literal(typed) : `\${${name}}`;
}

/** The items of a list, which are separated by commas or blanks. */
function itemsOf(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((item) => item !== "");
}

/** The environment variables that a text names. */
export function variablesOf(text: string): readonly string[] {
  return itemsOf(text).flatMap((item) => variableIn(item) ?? []);
}

/**
 * The value for config.yaml of a text, or what is wrong with it, in a sentence. A text with a variable that is not set
 * cannot be examined: it is a problem, unless `mayBeUnset`.
 */
export async function readField(
  platform: PlatformName,
  field: SetupField,
  text: string,
  { env, mayBeUnset = false }: { readonly env: NodeJS.ProcessEnv; readonly mayBeUnset?: boolean },
): Promise<{ readonly value: FieldValue } | { readonly problem: string }> {
  const values = formsOf(field, text);
  const unset = variablesOf(text).find((name) => !env[name]);
  if (unset !== undefined && mayBeUnset) return { value: values[0] };
  if (unset !== undefined) return { problem: `${unset} is not set in the environment.` };
  let wrong: { readonly problem: string } | undefined;
  for (const value of values) {
    const read = await readValue(platform, field.key, value, env);
    if (!("problem" in read)) return problemIn(field, textOf(read.value)) ?? { value };
    wrong ??= read;
  }
  return problemIn(field, text) ?? wrong!;
}

/** What the text may mean, the likeliest first. */
function formsOf({ list }: SetupField, text: string): readonly [FieldValue, ...FieldValue[]] {
  const items = itemsOf(text).map((item) => (SHORT_NUMBER.test(item) ? Number(item) : item));
  if (list === true) return [items];
  return SHORT_NUMBER.test(text) ? [text, Number(text)] : [text, items];
}

/** Each item of a list has to be right. */
function problemIn({ list, problem }: SetupField, resolved: string): { readonly problem: string } | undefined {
  const values = list === true ? itemsOf(resolved) : [resolved];
  const found = values.map((value) => problem?.(value)).find((one) => one !== undefined);
  return found === undefined ? undefined : { problem: found };
}

/** What the configuration reads for a value, by the rules of config.yaml. */
async function readValue(
  platform: PlatformName,
  key: string,
  value: FieldValue,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly value: unknown } | { readonly problem: string }> {
  const written = { gateway: { platforms: { [platform]: { [key]: value } } } };
  try {
    const config = await parseConfig(JSON.stringify(written), "config.yaml", env);
    const read = (config.values.gateway?.platforms?.[platform] ?? {}) as Readonly<Record<string, unknown>>;
    return { value: read[key] };
  } catch (error) {
    if (!isHermesError(error) || error.code !== "HERMES_CONFIG_TYPE") throw error;
    return { problem: `${key}: ${String(error.fields["problem"])}.` };
  }
}
