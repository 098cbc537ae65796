/** Writes the `model:` section of config.yaml, after a test. */
import { visible } from "#allowlist/visible";
import { probeModel } from "#agent/probe-model";
import { selectModel, type Provider } from "#agent/models/select";
import { EXIT, isHermesError } from "#core/errors";
import { parseConfig, type Config } from "#core/home/config";
import { truncate } from "#core/truncate";
import type { CliContext } from "../../context.ts";
import { editConfigText, readConfigText, writeConfigText } from "../../edit-config.ts";
import { describe, sentenceOf } from "./show.ts";

/** What the section is to say. What is undefined stays, unless it belongs to another provider. */
export interface ModelChoice {
  readonly provider?: Provider | undefined;
  readonly id?: string | undefined;
  readonly baseUrl?: string | undefined;
  /** As the file has it: a key, or the variable `${NAME}`. */
  readonly apiKey?: string | undefined;
}

export interface ModelTarget {
  readonly file: string;
  /** Whether to ask the model for one answer before the file is changed. */
  readonly tests: boolean;
  readonly json: boolean;
  /** Asks whether to save what failed its test. Without it, such a choice is not saved. */
  readonly confirm?: (question: string) => Promise<boolean>;
}

const LONGEST_ANSWER = 80;

/**
 * Changes the section, keeping comments and other keys. The file is changed only if the result is valid. Throws the
 * errors of the configuration, of the test, and HERMES_CONFIG_WRITE.
 */
export async function changeModel(choice: ModelChoice, target: ModelTarget, context: CliContext): Promise<void> {
  const { file, json } = target;
  const text = await editSection(readConfigText(file), choice);
  const unset = target.tests ? undefined : unsetVariable(choice.apiKey, context.env);
  if (unset !== undefined) context.warn(`the environment variable ${unset} is not set here.`);
  const env = unset === undefined ? context.env : { ...context.env, [unset]: "unset" };
  const config = await parseConfig(text, file, env);
  if (target.tests) config.demand("model");
  const shown = describe(config, env);
  const tested = target.tests && shown.provider !== "offline" ? await test(config, target, context) : null;
  if (tested?.ok === false) return context.exit(EXIT.failed);
  await writeConfigText(file, text, {
    isSecret: choice.apiKey !== undefined && variableIn(choice.apiKey) === undefined,
  });
  if (json) return context.json({ ...shown, tested });
  context.out(`${sentenceOf(shown)} Saved in ${file}.`);
  context.note("A running gateway uses it at once, other processes after: hermes hooks reload");
}

/** The variable that a value of config.yaml consists of: `NAME` for `${NAME}`. */
export function variableIn(value: string | undefined): string | undefined {
  return /^\$\{(\w+)\}$/.exec(value ?? "")?.[1];
}

function unsetVariable(apiKey: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  const name = variableIn(apiKey);
  return name !== undefined && !env[name] ? name : undefined;
}

async function editSection(text: string, { provider, id, baseUrl, apiKey }: ModelChoice): Promise<string> {
  const { isMap } = await import("yaml");
  return editConfigText(text, (document) => {
    if (!isMap(document.get("model"))) document.set("model", document.createNode({}));
    const implied = document.hasIn(["model", "base_url"]) ? "openai-compatible" : undefined;
    const isOther = provider !== undefined && (document.getIn(["model", "provider"]) ?? implied) !== provider;
    const section = { provider, default: id, base_url: baseUrl, api_key: apiKey };
    for (const [key, value] of Object.entries(section)) {
      if (value !== undefined) document.setIn(["model", key], value);
      else if (isOther) document.deleteIn(["model", key]);
    }
  });
}

interface Tested {
  /** False if the user does not want to save what failed. */
  readonly ok: boolean;
  readonly answer: string | null;
  readonly duration_ms: number;
}

async function test(config: Config, { json, confirm }: ModelTarget, context: CliContext): Promise<Tested> {
  const selected = await selectModel(config.values.model, context.env);
  if (!json) context.note(`Asking ${selected.id} (${selected.provider}) for one word…`);
  const started = performance.now();
  const elapsed = () => Math.round(performance.now() - started);
  try {
    const answer = truncate(visible(await probeModel(selected)), LONGEST_ANSWER);
    const duration_ms = elapsed();
    if (!json) context.note(`It answered after ${(duration_ms / 1000).toFixed(1)} s: ${answer}`);
    return { ok: true, answer, duration_ms };
  } catch (error) {
    if (confirm === undefined || !isHermesError(error)) {
      context.note("Nothing is changed. --no-test saves without a test.");
      throw error;
    }
    context.note(`It does not work: ${error.message}`);
    const ok = await confirm("Save it anyway?");
    if (!ok) context.note("Nothing is changed.");
    return { ok, answer: null, duration_ms: elapsed() };
  }
}
