/** Asks Discord which bot a token belongs to. */
import { ApplicationFlags } from "discord-api-types/v10";
import { HermesError } from "#core/errors";
import { callFailureOf, type CallFailure } from "#gateway/adapters/shared/call-failure";
import { createApi, type DiscordApi } from "./api.ts";
import { API_VERSION, apiAddresses, DEFAULT_API_ROOT } from "./api-root.ts";
import { idOf } from "./client.ts";
import { PORTAL } from "./settings.ts";

export interface Account {
  readonly api: DiscordApi;
  readonly botId: string;
  readonly name: string;
  readonly applicationId: string;
  /** False when the developer portal does not let the bot read what messages say. */
  readonly mayRead: boolean;
}

export interface AccountOptions {
  readonly token: string;
  readonly root?: string | undefined;
  readonly redact: (text: string) => string;
  readonly signal: AbortSignal;
}

/** Rejects with HERMES_ADAPTER_CONFIG for a token that Discord rejects, else with HERMES_ADAPTER_START. */
export async function openAccount({
  token,
  root = DEFAULT_API_ROOT,
  redact,
  signal,
}: AccountOptions): Promise<Account> {
  const addresses = apiAddresses(root);
  let last: CallFailure | undefined;
  for (const address of addresses) {
    const api = createApi({ token, address, redact });
    try {
      return await ask(api, signal);
    } catch (thrown) {
      api.close();
      last = callFailureOf(thrown);
      // Another server may have the API at its root.
      if (last.status !== 404) break;
    }
  }
  throw notOpened(last!, root);
}

async function ask(api: DiscordApi, signal: AbortSignal): Promise<Account> {
  const me = await api.call("get", "/users/@me", { signal });
  const botId = idOf(me);
  const { username } = me as { username?: unknown };
  const application = await findApplication(api, signal);
  const { flags } = (application ?? {}) as { flags?: unknown };
  const readers = ApplicationFlags.GatewayMessageContent | ApplicationFlags.GatewayMessageContentLimited;
  return {
    api,
    botId,
    name: typeof username === "string" ? username : botId,
    // Bots that were created in the last years have the id of their application.
    applicationId: application === null ? botId : idOf(application),
    mayRead: typeof flags !== "number" || (flags & readers) !== 0,
  };
}

/** Null on another server that does not know applications. */
async function findApplication(api: DiscordApi, signal: AbortSignal): Promise<unknown> {
  try {
    return await api.call("get", "/applications/@me", { signal });
  } catch (thrown) {
    if (callFailureOf(thrown).status !== 404) throw thrown;
    return null;
  }
}

function notOpened({ status, message }: CallFailure, root: string): HermesError {
  if (status === 401) {
    const advice = `Check gateway.platforms.discord.token. A new one is at ${PORTAL}, on the page Bot of your application.`;
    return new HermesError("HERMES_ADAPTER_CONFIG", {
      platform: "discord",
      problem: `${root} rejected the token (${message}). ${advice}`,
    });
  }
  const problem =
    status === 404
      ? `${root} does not have Discord's API, version ${API_VERSION}`
      : `${root} cannot be reached: ${message}`;
  return new HermesError("HERMES_ADAPTER_START", { platform: "discord", problem });
}
