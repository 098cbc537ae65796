/** Calls of Discord's REST API through its client library. They only throw a CallFailure, without the token. */
import { REST } from "@discordjs/rest";
import { BoundedMap } from "#core/bounded-map";
import { CallFailure } from "#gateway/adapters/shared/call-failure";
import { DEFAULT_API_ROOT, type ApiAddress } from "./api-root.ts";
import { discordFailureFrom } from "./failure.ts";

type Method = "get" | "post" | "put" | "patch" | "delete";

export interface ApiCall {
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

export interface DiscordApi {
  /** `route` begins with a slash. */
  readonly call: (method: Method, route: string, call?: ApiCall) => Promise<unknown>;
  close(): void;
}

export interface DiscordApiOptions {
  readonly token: string;
  readonly address: ApiAddress;
  readonly redact: (text: string) => string;
}

/** How long a call may take, without the waits for Discord's limits. */
const CALL_MS = 15_000;
/** The longest wait for a limit that the library makes; our own retries and the outbox make longer ones. */
const LONGEST_WAIT_MS = 6000;
const MOST_PAUSES = 1000;
/** All of Discord's calls. */
const EVERYWHERE = "everywhere";

export function createApi({ token, address, redact }: DiscordApiOptions): DiscordApi {
  const rest = new REST({
    api: address.api,
    version: address.version,
    // The library forgets its token at a 401, and with it every later call would fail.
    headers: { Authorization: `Bot ${token}` },
    // Our own retries know what is worth repeating.
    retries: 0,
    timeout: CALL_MS,
    // 50 calls a second is Discord's limit for a bot; another server names its own by 429.
    globalRequestsPerSecond: address.root === DEFAULT_API_ROOT ? 50 : Number.POSITIVE_INFINITY,
    // Without a time to wait for, the library would repeat the call at once, again and again.
    rejectOnRateLimit: ({ retryAfter }) => !(retryAfter > 0 && retryAfter <= LONGEST_WAIT_MS),
  });
  /** Until when no calls of a bucket are made, or none at all. */
  const pausedUntil = new BoundedMap<string, number>(MOST_PAUSES);

  function pauseOf(bucket: string): number {
    const until = Math.max(pausedUntil.get(bucket) ?? 0, pausedUntil.get(EVERYWHERE) ?? 0);
    return until - performance.now();
  }

  async function call(method: Method, route: string, { body, signal }: ApiCall = {}): Promise<unknown> {
    const bucket = bucketOf(route);
    const pause = pauseOf(bucket);
    if (pause > 0) throw new CallFailure("too many calls", { status: 429, retryAfterMs: pause });
    try {
      return await rest[method](route as `/${string}`, { body, signal, auth: false });
    } catch (thrown) {
      const { failure, isGlobal } = discordFailureFrom(thrown, redact);
      if (failure.retryAfterMs !== null) {
        pausedUntil.set(isGlobal ? EVERYWHERE : bucket, performance.now() + failure.retryAfterMs);
      }
      throw failure;
    }
  }

  return {
    call,
    close() {
      rest.clearHashSweeper();
      rest.clearHandlerSweeper();
    },
  };
}

/** Discord limits calls by channel, and others by what they are for: the first word of their route. */
function bucketOf(route: string): string {
  const [, channel, other] = /^\/(?:channels\/([^/]+)|([\w-]+))/.exec(route) ?? [];
  return channel ?? other ?? "";
}
