/** Asks on the terminal which model to use. */
import { visible } from "#allowlist/visible";
import { listModels } from "#agent/models/list-models";
import { describeModel, describeProvider, PROVIDERS, shownUrl, type Provider } from "#agent/models/select";
import { isHermesError } from "#core/errors";
import type { Config } from "#core/home/config";
import { didYouMean } from "#core/suggest";
import { columns } from "../../columns.ts";
import type { CliContext } from "../../context.ts";
import type { Prompts } from "../../prompts.ts";
import { variableIn, type ModelChoice } from "./change.ts";
import { describe, sentenceOf } from "./show.ts";

const OLLAMA = "http://127.0.0.1:11434/v1";
const MOST_LISTED = 40;
/** In the order in which they are offered. */
const CHOICES: readonly Provider[] = [...PROVIDERS.filter((provider) => provider !== "offline"), "offline"];

/** What the questions need. */
interface Asking {
  readonly config: Config;
  readonly prompts: Prompts;
  readonly context: CliContext;
}

/** Asks for provider, server, key and model. Rejects with HERMES_INTERRUPTED when the user stops. */
export async function askForModel(config: Config, prompts: Prompts, context: CliContext): Promise<ModelChoice> {
  const asking = { config, prompts, context };
  context.note(`${currentModel(config, context.env)}\n`);
  const provider = await askForProvider(asking);
  if (provider === "offline") return { provider };
  const server = await askForServer(provider, asking);
  const id = await askForId(provider, server.ids, asking);
  return { provider, id, baseUrl: server.baseUrl, apiKey: server.apiKey };
}

function currentModel(config: Config, env: NodeJS.ProcessEnv): string {
  try {
    return sentenceOf(describe(config, env));
  } catch (error) {
    if (isHermesError(error)) return `No model is set up: ${error.message}`;
    throw error;
  }
}

async function askForProvider({ config, prompts, context }: Asking): Promise<Provider> {
  const about = (provider: Provider): string => {
    if (provider === "offline") return "no network; understands a few fixed phrases";
    const vendor = describeProvider(provider);
    if (vendor === undefined) return "Ollama, vLLM, LM Studio and other servers";
    return context.env[vendor.key] ? `${vendor.key} is set` : "";
  };
  const rows = CHOICES.map((provider, index) => [`  ${index + 1}`, provider, about(provider)]);
  for (const line of columns(rows)) context.note(line);
  const fallback = currentProvider(config, context.env);
  for (;;) {
    const word = (await prompts.ask(`Provider, 1 to ${CHOICES.length} or its name`, fallback)).toLowerCase();
    const found = CHOICES[Number(word) - 1] ?? CHOICES.find((provider) => provider === word);
    if (found !== undefined) return found;
    context.note(`There is no provider "${visible(word)}".${didYouMean(word, CHOICES)}`);
  }
}

function currentProvider({ values }: Config, env: NodeJS.ProcessEnv): Provider | undefined {
  const named = PROVIDERS.find((name) => name === values.model.provider);
  if (named !== undefined) return named;
  const { provider } = describeModelOrOffline(values.model, env);
  return provider === "offline" ? undefined : provider;
}

function describeModelOrOffline(settings: Config["values"]["model"], env: NodeJS.ProcessEnv): { provider: Provider } {
  try {
    return describeModel(settings, env);
  } catch (error) {
    if (isHermesError(error)) return { provider: "offline" };
    throw error;
  }
}

interface Server {
  readonly baseUrl: string | undefined;
  readonly apiKey: string | undefined;
  /** What the server lists; empty if it lists nothing. */
  readonly ids: readonly string[];
}

/** Asks for the address and the key until the server takes them, or the user insists. */
async function askForServer(provider: Provider, asking: Asking): Promise<Server> {
  const { prompts, context } = asking;
  const vendor = describeProvider(provider);
  let baseUrl = vendor === undefined ? await askForUrl(asking, OLLAMA) : undefined;
  for (;;) {
    const apiKey = await askForKey(provider, asking);
    const url = baseUrl ?? vendorUrl(provider, asking);
    const key = valueOf(apiKey, context.env) ?? keyOtherwise(provider, asking)?.key;
    const list = await listModels({ provider, baseUrl: url, apiKey: key });
    if (list.kind === "listed") return { baseUrl, apiKey, ids: list.ids };
    const problem = visible(list.problem);
    if (list.kind === "refused") context.note(`The server does not accept the key: ${problem}`);
    else if (list.kind === "unlisted") context.note(`The server does not list its models: ${problem}`);
    else context.note(`${shownUrl(url)} cannot be reached: ${problem}`);
    if (list.kind === "unlisted" || !(await prompts.confirm("Try again?"))) return { baseUrl, apiKey, ids: [] };
    if (vendor === undefined) baseUrl = await askForUrl(asking, url);
  }
}

/** Where a vendor's requests will go: config.yaml or a variable of the environment may name a proxy. */
function vendorUrl(provider: Provider, { config, context }: Asking): string {
  const { model } = config.values;
  const base_url = model.provider === provider ? model.base_url : undefined;
  return describeModel({ provider, api_key: "any", base_url }, context.env).baseUrl;
}

async function askForUrl({ config, prompts, context }: Asking, fallback: string): Promise<string> {
  for (;;) {
    const typed = await prompts.ask("Server, up to and including /v1", config.values.model.base_url ?? fallback);
    const protocol = URL.parse(typed)?.protocol;
    if (protocol === "http:" || protocol === "https:") return typed.replace(/\/+$/, "");
    context.note(`"${visible(typed)}" is not an http or https URL.`);
  }
}

/** The key as config.yaml is to have it; undefined for the one that is there otherwise, or none. */
async function askForKey(provider: Provider, asking: Asking): Promise<string | undefined> {
  const { prompts, context } = asking;
  context.note("Paste the key, which is not shown; config.yaml keeps it, and only you can read that file.");
  context.note("Or type $NAME to read it from an environment variable.");
  const otherwise = keyOtherwise(provider, asking);
  for (;;) {
    const typed = await prompts.askSecret(otherwise === undefined ? "Key" : `Key (Enter ${otherwise.shown})`);
    const [, name] = /^\$\{?([A-Za-z_]\w*)\}?$/.exec(typed) ?? [];
    if (name !== undefined && !context.env[name]) context.note(`${name} is not set in the environment.`);
    else if (name !== undefined) return `\${${name}}`;
    else if (typed !== "") return typed.replaceAll("${", () => "$${");
    else if (otherwise !== undefined) return undefined;
  }
}

/** The key without an answer; undefined if there must be one. */
function keyOtherwise(
  provider: Provider,
  { config, context }: Asking,
): { readonly key: string | undefined; readonly shown: string } | undefined {
  const { model } = config.values;
  if (model.provider === provider && model.api_key) return { key: model.api_key, shown: "keeps the present one" };
  const variable = describeProvider(provider)?.key;
  if (variable === undefined) return { key: undefined, shown: "for none" };
  const key = context.env[variable];
  return key ? { key, shown: `for ${variable}` } : undefined;
}

/** The key itself, from what config.yaml is to have. */
function valueOf(apiKey: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  const name = variableIn(apiKey);
  return name === undefined ? apiKey?.replaceAll("$${", () => "${") : env[name];
}

async function askForId(provider: Provider, ids: readonly string[], { config, prompts, context }: Asking) {
  const isSame = config.values.model.provider === provider;
  const known = (isSame ? config.values.model.default : undefined) ?? describeProvider(provider)?.defaultModel;
  const fallback = known === undefined && ids.length === 1 ? ids[0] : known;
  if (ids.length > 0) {
    context.note(`The server has ${ids.length === 1 ? "one model" : `${ids.length} models`}:`);
    const rows = ids.slice(0, MOST_LISTED).map((id, index) => [`  ${index + 1}`, id]);
    for (const line of columns(rows)) context.note(line);
    if (ids.length > MOST_LISTED) context.note(`  … and ${ids.length - MOST_LISTED} more`);
  }
  for (;;) {
    const word = await prompts.ask(ids.length === 0 ? "Model" : "Model, its number or its id", fallback);
    const id = ids.includes(word) ? word : (ids.slice(0, MOST_LISTED)[Number(word) - 1] ?? word);
    if (id === "") continue;
    if (ids.length === 0 || ids.includes(id)) return id;
    context.note(`The server does not list "${visible(id)}".${didYouMean(id, ids)}`);
    if (await prompts.confirm("Use it anyway?")) return id;
  }
}
