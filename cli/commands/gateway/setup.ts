/** `hermes gateway setup`: asks for a platform's settings or takes them, tests them, and writes the section. */
import type { Command } from "#cli/command-line/command";
import { visible } from "#allowlist/visible";
import { EXIT, HermesError, isHermesError, problemOf } from "#core/errors";
import { loadConfig, type Config } from "#core/home/config";
import type { PlatformName } from "#core/home/platform-settings";
import { didYouMean } from "#core/suggest";
import { checkPlatforms, findPlatform, isBuiltIn, PLATFORM_NAMES } from "#gateway/adapters/table";
import type { PlatformSetup, SetupCheck } from "#gateway/adapters/setup";
import type { CliContext } from "../../context.ts";
import { readConfigText, writeConfigText } from "../../edit-config.ts";
import { createPrompts, type Prompts } from "../../prompts.ts";
import { askForFields, askForPlatform } from "./ask.ts";
import { prepareChange, type PreparedChange, type SetupTarget } from "./change.ts";
import { textOf } from "./fields.ts";
import { readGiven } from "./given.ts";
import { tellNextSteps, tellSteps } from "./instructions.ts";
import { readSection } from "./section.ts";

export interface SetupOptions {
  readonly set?: readonly string[];
  readonly test: boolean;
  readonly json?: true;
}

/** What both ways of the command need. */
interface Setup extends SetupTarget {
  readonly definition: PlatformSetup;
  /** The section as config.yaml has it; undefined for none. */
  readonly section: Readonly<Record<string, unknown>> | undefined;
  readonly options: SetupOptions;
  readonly run: string;
  readonly context: CliContext;
}

/** Runs the command. Throws HERMES_USAGE, the errors of the configuration, and those of the test. */
export async function setUpPlatform(
  given: string | undefined,
  options: SetupOptions,
  command: Command,
  context: CliContext,
): Promise<void> {
  const paths = context.paths(command);
  const config = await loadConfig(paths, context.env);
  const { set, json, test } = options;
  const prompts =
    set === undefined && json !== true && process.stdin.isTTY && process.stderr.isTTY ? createPrompts() : null;
  const platform = given === undefined ? await choosePlatform(config, prompts, context) : named(given);
  const definition = await findPlatform(platform)!.setup();
  const isBare = set === undefined && json !== true && test;
  if (prompts === null && isBare) throw noTerminal(platform, definition);
  const file = config.file ?? paths.config;
  const section = await readSection(readConfigText(file), platform);
  const { env } = context;
  const setup = {
    platform,
    definition,
    fields: definition.fields,
    file,
    env,
    section,
    options,
    run: paths.run,
    context,
  };
  await (prompts === null ? setUpGiven(setup) : setUpAsking(setup, prompts));
}

function named(given: string): PlatformName {
  if (isBuiltIn(given)) return given;
  const names = PLATFORM_NAMES.join(", ");
  const problem = `There is no platform "${given}". The platforms are ${names}.${didYouMean(given, PLATFORM_NAMES)}`;
  throw new HermesError("HERMES_USAGE", { problem });
}

async function choosePlatform(config: Config, prompts: Prompts | null, context: CliContext): Promise<PlatformName> {
  if (prompts === null) {
    const problem = `Name the platform: hermes gateway setup PLATFORM. The platforms are ${PLATFORM_NAMES.join(", ")}.`;
    throw new HermesError("HERMES_USAGE", { problem });
  }
  const choices = PLATFORM_NAMES.map((name) => {
    const section = config.values.gateway?.platforms?.[name];
    const state = section === undefined ? "" : section.enabled === true ? "on" : "off";
    return { name, state, about: findPlatform(name)!.about };
  });
  return askForPlatform(choices, { prompts, context });
}

function noTerminal(platform: PlatformName, { fields }: PlatformSetup): HermesError {
  const required = fields.filter(
    ({ optional, secret, fallback }) => optional !== true && (secret === true || fallback === undefined),
  );
  const other = fields.filter((field) => !required.includes(field)).map(({ key }) => key);
  const words = required.map(({ key, secret }) => `--set ${secret ? `'${key}=\${NAME}'` : `${key}=VALUE`}`);
  const more = other.length === 0 ? "" : ` More keys: ${other.join(", ")}.`;
  const line = ["hermes gateway setup", platform, ...(words.length === 0 ? ["--set KEY=VALUE"] : words)].join(" ");
  return new HermesError("HERMES_USAGE", { problem: `There is no terminal to ask on. Use options: ${line}.${more}` });
}

/** Takes what the options and config.yaml say. */
async function setUpGiven(setup: Setup): Promise<void> {
  const { platform, options, env, context } = setup;
  const values = await readGiven(options.set ?? [], { ...setup, tests: options.test });
  const change = await prepareChange(values, setup);
  const unset = change.variables.filter((name) => !env[name]);
  if (!options.test) for (const name of unset) context.warn(`the environment variable ${name} is not set here.`);
  else change.config.demand("gateway", "platforms", platform);
  if (unset.length === 0) checkPlatforms({ [platform]: change.settings });
  if (!options.test) return save(change, null, setup);
  const tested = await runCheck(change, setup).catch((error: unknown) => {
    context.note("Nothing is changed. --no-test saves without a test.");
    throw error;
  });
  await save(change, tested, setup);
}

/** Asks until the settings work, or the user wants to keep those that do not. */
async function setUpAsking(setup: Setup, prompts: Prompts): Promise<void> {
  const { platform, definition, section, options, context } = setup;
  tellSteps(platform, definition, context);
  let present = Object.fromEntries(definition.fields.map(({ key }) => [key, textOf(section?.[key])]));
  let origin = "in config.yaml";
  for (let hints = true; ; hints = false) {
    const { texts, values } = await askForFields({
      platform,
      fields: definition.fields,
      present,
      origin,
      isNew: section === undefined,
      hints,
      mayBeUnset: !options.test,
      prompts,
      context,
    });
    const change = await prepareChange(values, setup);
    const tested = options.test ? await tryOut(change, setup) : null;
    if (tested === null || "account" in tested) return save(change, tested, setup);
    context.note(`It does not work: ${tested.problem}`);
    if (!(await prompts.confirm("Answer the questions again?", true))) {
      if (await prompts.confirm("Save it anyway?")) return save(change, null, setup);
      context.note("Nothing is changed.");
      return context.exit(EXIT.failed);
    }
    present = texts;
    origin = "that you entered";
  }
}

/** Tests the settings, or gives what is wrong with them. */
async function tryOut(change: PreparedChange, setup: Setup): Promise<SetupCheck | { readonly problem: string }> {
  try {
    checkPlatforms({ [setup.platform]: change.settings });
    return await runCheck(change, setup);
  } catch (error) {
    const { problem } = isHermesError(error) ? error.fields : {};
    return { problem: visible(typeof problem === "string" ? problem : problemOf(error)) };
  }
}

function runCheck({ values, apiRoot }: PreparedChange, { definition, options, context }: Setup): Promise<SetupCheck> {
  if (options.json !== true) context.note("\nTesting the settings …");
  return definition.check(values, apiRoot);
}

async function save(change: PreparedChange, tested: SetupCheck | null, setup: Setup): Promise<void> {
  const { platform, file, options, run, context } = setup;
  await writeConfigText(file, change.text, { isSecret: change.hasSecret });
  const notes = (tested?.notes ?? []).map(visible);
  const account = tested === null ? null : visible(tested.account);
  if (options.json === true) {
    return context.json({ platform, enabled: true, tested: tested !== null, account, notes, file });
  }
  context.out(`${platform} is set up${account === null ? "" : `: ${account}`}. Saved in ${file}.`);
  tellNextSteps({ platform, notes, change, run }, context);
}
