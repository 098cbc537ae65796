/** Access control: only allowed and paired users may use the gateway (CONTRACT §8). */
import { BoundedMap } from "#core/bounded-map";
import { problemOf } from "#core/errors";
import type { Log } from "#core/home/log";
import type { MessageSource } from "#core/ports/platform";
import { findPlatform } from "./adapters/table.ts";
import type { GatewaySettings } from "./deps.ts";
import type { Pairing } from "./pairing.ts";
import type { Recipient } from "./recipient.ts";

/** Minimum time between two answers to the same stranger. */
const QUIET_MS = 600_000;
const MOST_REMEMBERED = 1000;

export interface AccessDeps {
  readonly settings: () => GatewaySettings;
  readonly pairing: Pairing;
  readonly log: Log;
  /** A monotonic clock, in milliseconds. */
  readonly monotonic?: () => number;
}

export class UserAccess {
  readonly #deps: AccessDeps;
  readonly #monotonic: () => number;
  /** When each stranger last got an answer. */
  readonly #spokenTo = new BoundedMap<string, number>(MOST_REMEMBERED);

  constructor(deps: AccessDeps) {
    this.#deps = deps;
    this.#monotonic = deps.monotonic ?? (() => performance.now());
  }

  /** True when the sender has access; false when that cannot be determined. Never throws. */
  allows(source: MessageSource): boolean {
    return allowedUsers(this.#deps.settings(), source.platform).includes("*") || this.isKnown(source);
  }

  /**
   * True when the sender is more than anybody: named by the configuration, paired, or on a platform with a key of its
   * own. Never throws.
   */
  isKnown({ platform, user_id }: MessageSource): boolean {
    if (findPlatform(platform)?.exempt) return true;
    if (user_id !== "*" && allowedUsers(this.#deps.settings(), platform).includes(user_id)) return true;
    try {
      return this.#deps.pairing.isPaired(platform, user_id);
    } catch (error) {
      this.#deps.log.error("paired users cannot be read from state.db", { problem: problemOf(error) });
      return false;
    }
  }

  /**
   * Answers a sender without access: with a pairing code in a direct message, elsewhere not at all. True when something
   * was sent.
   */
  async rejectStranger({ platform, chat_type, user_id }: MessageSource, recipient: Recipient): Promise<boolean> {
    this.#deps.log.info("a message from an unknown user", { platform, chat_type, user_id });
    if (chat_type !== "dm" || user_id === "" || !this.#maySpeakTo(platform, user_id)) return false;
    try {
      const request = await this.#deps.pairing.request(platform, user_id);
      if (request.kind === "recent") return false;
      if (request.kind !== "code") return await recipient.sendUnrecorded(NOT_NOW);
      const arrived = await recipient.sendUnrecorded(invitation(request.code));
      if (arrived) return true;
      // Nobody has received the code, so it must not block further requests.
      request.withdraw();
      this.#spokenTo.delete(strangerOf(platform, user_id));
      return false;
    } catch (error) {
      this.#deps.log.error("a pairing code cannot be created", { platform, user_id, problem: problemOf(error) });
      return false;
    }
  }

  #maySpeakTo(platform: string, user_id: string): boolean {
    const stranger = strangerOf(platform, user_id);
    const now = this.#monotonic();
    const last = this.#spokenTo.get(stranger);
    if (last !== undefined && now - last < QUIET_MS) return false;
    this.#spokenTo.set(stranger, now);
    return true;
  }
}

function strangerOf(platform: string, user_id: string): string {
  return JSON.stringify([platform, user_id]);
}

const NOT_NOW = "I don't know you, and I can't give you a pairing code right now. Please try again later.";

function invitation(code: string): string {
  return (
    `I don't know you yet. Your pairing code is ${code}. Ask the person who runs this bot to approve it with\n\n` +
    `hermes pairing approve ${code}\n\nThe code is valid for one hour.`
  );
}

/** The allowed users of all platforms and of this one, as strings: `12` and `"12"` are the same user. */
function allowedUsers(settings: GatewaySettings, platform: string): readonly string[] {
  const platforms: Readonly<Record<string, { readonly allowed_users?: unknown } | undefined>> =
    settings.platforms ?? {};
  const own = Object.hasOwn(platforms, platform) ? platforms[platform]?.allowed_users : undefined;
  // A plugin's platform may have anything under this key.
  const lists: readonly unknown[] = [settings.allowed_users, own];
  return lists
    .flatMap((list): unknown[] => (Array.isArray(list) ? list : []))
    .filter((user) => typeof user === "string" || typeof user === "number")
    .map(String)
    .filter((user) => user !== "");
}
