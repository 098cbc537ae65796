/** Selects the model: from the `model:` section of the configuration, else by a provider key in the environment. */
import type { LanguageModelV4 } from "./language-model.ts";
import { HermesError } from "#core/errors";
import { didYouMean } from "#core/suggest";
import { createRedactor } from "#core/home/redact";
import { knownContextLength } from "./context-length.ts";
import { createOfflineModel, OFFLINE_MODEL_ID } from "./offline.ts";
import type { Dialect } from "./plain-answers.ts";
import type { ModelConnection } from "./openai.ts";

export const PROVIDERS = ["offline", "openai", "anthropic", "openrouter", "openai-compatible"] as const;
export type Provider = (typeof PROVIDERS)[number];

/** The `model:` section with its `${NAME}` variables replaced. */
export interface ModelSettings {
  /** One of {@link PROVIDERS}; `auto` is as if it were absent. */
  readonly provider?: string | undefined;
  /** The model's id. */
  readonly default?: string | undefined;
  readonly base_url?: string | undefined;
  readonly api_key?: string | undefined;
  readonly max_retries?: number | undefined;
  readonly timeout_seconds?: number | undefined;
  /** False for a model that takes no images. */
  readonly images?: boolean | undefined;
  /** The size of the model's context in tokens; that of a well-known model when absent. */
  readonly context_length?: number | undefined;
  /** What a million tokens cost. */
  readonly prices?: { readonly input: number; readonly output: number } | undefined;
}

/** A model that is ready to use. */
export interface SelectedModel {
  readonly model: LanguageModelV4;
  readonly id: string;
  readonly provider: Provider;
  /** The API's base URL; empty for the offline model. */
  readonly baseUrl: string;
  /** Where the key is set, for error messages: an environment variable, or a configuration key. */
  readonly keySource: string;
  /** The size of its context in tokens; undefined when nobody knows it. */
  readonly contextLength?: number | undefined;
  /** False when the model is only told that a message had images. */
  readonly takesImages: boolean;
  /** Removes the key from the server's messages, because some servers repeat it. */
  readonly redact: (text: string) => string;
}

const DEFAULT_TIMEOUT_SECONDS = 120;

interface Hosted {
  readonly key: string;
  readonly baseUrl: string;
  /** The variable of the vendor's own packages that names another server. */
  readonly baseUrlKey: string;
  /** What the vendor's packages append to the variable's value. */
  readonly path?: string;
  /** The model used when none is named. */
  readonly defaultModel: string;
  readonly dialect: Dialect;
  readonly create: (connection: ModelConnection) => Promise<LanguageModelV4>;
}

/** Hosted providers, in the order in which we look for their keys. */
const HOSTED: Readonly<Record<"openai" | "anthropic" | "openrouter", Hosted>> = {
  openai: {
    key: "OPENAI_API_KEY",
    baseUrl: "https://api.openai.com/v1",
    baseUrlKey: "OPENAI_BASE_URL",
    dialect: "openai",
    defaultModel: "gpt-5.4-mini",
    create: async (connection) => {
      // Other servers have fields of their own, such as reasoning, which OpenAI's package does not read.
      if (connection.baseUrl !== HOSTED.openai.baseUrl) {
        return (await import("./openai-compatible.ts")).createOpenAICompatibleModel(connection, "openai");
      }
      return (await import("./openai.ts")).createOpenAIModel(connection);
    },
  },
  anthropic: {
    key: "ANTHROPIC_API_KEY",
    baseUrl: "https://api.anthropic.com/v1",
    baseUrlKey: "ANTHROPIC_BASE_URL",
    path: "/v1",
    dialect: "anthropic",
    defaultModel: "claude-sonnet-4-6",
    create: async (connection) => (await import("./anthropic.ts")).createAnthropicModel(connection),
  },
  openrouter: {
    key: "OPENROUTER_API_KEY",
    baseUrl: "https://openrouter.ai/api/v1",
    baseUrlKey: "OPENROUTER_BASE_URL",
    dialect: "openai",
    defaultModel: "anthropic/claude-sonnet-4.6",
    create: async (connection) => (await import("./openrouter.ts")).createOpenRouterModel(connection),
  },
};
const HOSTED_NAMES = ["openai", "anthropic", "openrouter"] as const satisfies readonly (keyof typeof HOSTED)[];

/**
 * Tells which model will be used, without loading it. Throws HERMES_MODEL_CONFIG when the provider's key, its base_url
 * or the model's id is missing.
 */
export function describeModel(
  settings: ModelSettings,
  env: NodeJS.ProcessEnv,
): Pick<SelectedModel, "provider" | "id" | "baseUrl" | "keySource" | "contextLength"> & { readonly hasKey: boolean } {
  const { provider, id, baseUrl, keySource, apiKey } = resolve(settings, env);
  const contextLength = settings.context_length ?? knownContextLength(id);
  return { provider, id, baseUrl, keySource, contextLength, hasKey: apiKey !== undefined };
}

/** What somebody who chooses a provider needs to know about it; without a vendor of its own, nothing. */
export function describeProvider(
  provider: Provider,
): { readonly key: string; readonly defaultModel: string } | undefined {
  if (provider === "offline" || provider === "openai-compatible") return undefined;
  const { key, defaultModel } = HOSTED[provider];
  return { key, defaultModel };
}

/** Loads the model that the settings and the environment select. Throws like {@link describeModel}. */
export async function selectModel(settings: ModelSettings, env: NodeJS.ProcessEnv): Promise<SelectedModel> {
  const { provider, keySource, id, baseUrl, apiKey } = resolve(settings, env);
  const redact = createRedactor({}, apiKey === undefined ? [] : [apiKey]);
  const takesImages = provider !== "offline" && settings.images !== false;
  const contextLength = settings.context_length ?? knownContextLength(id);
  const about = { id, provider, baseUrl, keySource, contextLength, takesImages, redact };
  if (provider === "offline") return { model: createOfflineModel(), ...about };
  const { createModelFetch } = await import("./model-fetch.ts");
  const dialect = provider === "openai-compatible" ? "openai" : HOSTED[provider].dialect;
  const timeoutMs = 1000 * (settings.timeout_seconds ?? DEFAULT_TIMEOUT_SECONDS);
  const connection = { id, baseUrl, apiKey, fetch: createModelFetch({ dialect, timeoutMs }) };
  if (provider === "openai-compatible") {
    const { createOpenAICompatibleModel } = await import("./openai-compatible.ts");
    return { model: await createOpenAICompatibleModel(connection), ...about };
  }
  return { model: await HOSTED[provider].create(connection), ...about };
}

interface Resolved extends Omit<ModelConnection, "fetch">, Pick<SelectedModel, "provider" | "keySource"> {}

function resolve(settings: ModelSettings, env: NodeJS.ProcessEnv): Resolved {
  const provider = namedProvider(settings.provider) ?? providerOf(settings, env);
  const keySource = "model.api_key";
  if (provider === "offline") return { provider, id: OFFLINE_MODEL_ID, baseUrl: "", apiKey: undefined, keySource };
  if (provider === "openai-compatible") {
    const baseUrl =
      settings.base_url ?? missing("model.base_url is missing. Set it to the server's URL, including /v1.");
    const id = settings.default || missing("model.default is missing. Set it to the id of the model to use.");
    return { provider, id, baseUrl: checkUrl(baseUrl), apiKey: settings.api_key, keySource };
  }
  const { key, defaultModel } = HOSTED[provider];
  const apiKey =
    settings.api_key ||
    env[key] ||
    missing(`The provider ${provider} needs a key. Set ${key} in the environment, or model.api_key in config.yaml.`);
  return {
    provider,
    id: settings.default || defaultModel,
    baseUrl: settings.base_url === undefined ? hostedUrl(HOSTED[provider], env) : checkUrl(settings.base_url),
    apiKey,
    keySource: settings.api_key ? keySource : key,
  };
}

/** The provider that the configuration names; undefined for none. Throws HERMES_MODEL_CONFIG for an unknown one. */
function namedProvider(name: string | undefined): Provider | undefined {
  if (name === undefined || name === "auto") return undefined;
  const found = PROVIDERS.find((provider) => provider === name);
  const hint = didYouMean(name, PROVIDERS);
  return found ?? missing(`model.provider "${name}" is not known; use one of ${PROVIDERS.join(", ")}.${hint}`);
}

/** Without a provider: a base_url means its provider or a compatible server, else the first key that is set selects the provider. */
function providerOf(settings: ModelSettings, env: NodeJS.ProcessEnv): Provider {
  const { base_url } = settings;
  if (base_url !== undefined) {
    return HOSTED_NAMES.find((name) => HOSTED[name].baseUrl === base_url.replace(/\/+$/, "")) ?? "openai-compatible";
  }
  return HOSTED_NAMES.find((name) => env[HOSTED[name].key]) ?? "offline";
}

/** The provider's own address, or the one that the vendor's packages would use. */
function hostedUrl({ baseUrl, baseUrlKey, path = "" }: Hosted, env: NodeJS.ProcessEnv): string {
  const named = env[baseUrlKey]?.trim();
  if (!named) return baseUrl;
  const url = checkUrl(named, baseUrlKey);
  return url.endsWith(path) ? url : `${url}${path}`;
}

function checkUrl(url: string, source = "model.base_url"): string {
  const protocol = URL.parse(url)?.protocol;
  if (protocol !== "http:" && protocol !== "https:") missing(`${source} is not an http or https URL: ${url}`);
  return url.replace(/\/+$/, "");
}

/** Where requests go, without a user name and password that the address may hold. */
export function shownUrl(baseUrl: string): string {
  const url = URL.parse(baseUrl);
  if (url === null || (url.username === "" && url.password === "")) return baseUrl;
  url.username = "";
  url.password = "";
  return url.href.replace(/\/+$/, "");
}

function missing(problem: string): never {
  throw new HermesError("HERMES_MODEL_CONFIG", { problem });
}
