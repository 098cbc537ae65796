/** The change of config.yaml that a setup makes, before it is written. */
import { HermesError } from "#core/errors";
import { parseConfig, type Config } from "#core/home/config";
import type { PlatformName } from "#core/home/platform-settings";
import type { SetupField } from "#gateway/adapters/setup";
import { readConfigText } from "../../edit-config.ts";
import { variableIn } from "../model/change.ts";
import { readField, textOf, variablesOf, type FieldValue } from "./fields.ts";
import { changeSection, readSection } from "./section.ts";

/** The platform that is set up, and where. */
export interface SetupTarget {
  readonly platform: PlatformName;
  readonly fields: readonly SetupField[];
  /** The file of the configuration. */
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Values for config.yaml by key; undefined removes the key. */
export type FieldValues = Readonly<Record<string, FieldValue | undefined>>;

export interface PreparedChange {
  /** The whole text of the file. */
  readonly text: string;
  /** The configuration as the text has it. */
  readonly config: Config;
  /** The section with its variables filled in. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** The fields as the platform tests them. */
  readonly values: Readonly<Record<string, string>>;
  readonly apiRoot: string | undefined;
  /** True when the section has a secret itself, not the name of a variable. */
  readonly hasSecret: boolean;
  /** The variables that the section names. */
  readonly variables: readonly string[];
}

/**
 * Makes the change. A field that must be there and is neither given nor in the file gets its fallback. Throws HERMES_USAGE
 * for one without, and the errors of the configuration.
 */
export async function prepareChange(given: FieldValues, target: SetupTarget): Promise<PreparedChange> {
  const { platform, fields, file, env } = target;
  const before = readConfigText(file);
  const values = { ...given, ...(await fallbacks(given, await readSection(before, platform), target)) };
  const text = await changeSection(before, platform, { enabled: true, ...values }, file);
  const config = await parseConfig(text, file, env);
  const section = (await readSection(text, platform)) ?? {};
  const settings = (config.values.gateway?.platforms?.[platform] ?? {}) as Readonly<Record<string, unknown>>;
  const apiRoot = settings["api_root"];
  return {
    text,
    config,
    settings,
    values: Object.fromEntries(
      fields.filter(({ key }) => settings[key] !== undefined).map(({ key }) => [key, textOf(settings[key])]),
    ),
    apiRoot: typeof apiRoot === "string" ? apiRoot : undefined,
    hasSecret: fields.some(({ key, secret }) => {
      const value = textOf(section[key]);
      return secret === true && value !== "" && variableIn(value) === undefined;
    }),
    variables: Object.values(section).flatMap((value) => variablesOf(textOf(value))),
  };
}

async function fallbacks(
  given: FieldValues,
  section: Readonly<Record<string, unknown>> | undefined,
  { platform, fields, env }: SetupTarget,
): Promise<FieldValues> {
  const isThere = ({ key }: SetupField) => given[key] !== undefined || textOf(section?.[key]) !== "";
  const missing = fields.filter((field) => field.optional !== true && !isThere(field));
  const without = missing.filter(({ secret, fallback }) => secret === true || fallback === undefined);
  if (without.length > 0) {
    const words = without.map(({ key, secret }) => `--set ${secret === true ? `'${key}=\${NAME}'` : `${key}=VALUE`}`);
    throw new HermesError("HERMES_USAGE", { problem: `${platform} needs more settings: ${words.join(" ")}` });
  }
  const values: Record<string, FieldValue> = {};
  for (const field of missing) {
    const read = await readField(platform, field, field.fallback!, { env });
    if ("problem" in read) throw new TypeError(`${platform}.${field.key}: ${read.problem}`);
    values[field.key] = read.value;
  }
  return values;
}
