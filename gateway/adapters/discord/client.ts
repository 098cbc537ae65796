/** What the adapter asks of Discord. Every function only throws a CallFailure. */
import { Routes } from "discord-api-types/v10";
import { BoundedMap } from "#core/bounded-map";
import type { ReplyTarget } from "#core/ports/platform";
import { CallFailure, callFailureOf } from "#gateway/adapters/shared/call-failure";
import { readBody } from "#gateway/adapters/shared/download";
import type { EditingClient, TypingClient } from "#gateway/adapters/shared/message-client";
import type { DiscordApi } from "./api.ts";
import { componentsOf } from "./buttons.ts";
import { codeOf, DiscordFailure, UNKNOWN_CHANNEL } from "./failure.ts";
import { createNonces } from "./nonces.ts";

export interface DiscordClient extends EditingClient<string>, TypingClient {
  getChannel(id: string): Promise<unknown>;
  getMessage(channel: string, id: string): Promise<unknown>;
  getRoles(guild: string): Promise<unknown>;
  getCommands(): Promise<unknown>;
  setCommands(commands: readonly object[]): Promise<void>;
  /** Answers an interaction, for which Discord gives three seconds. */
  respond(interaction: { readonly id: string; readonly token: string }, response: object): Promise<void>;
  /** Removes what an interaction shows: "thinking…". */
  deleteResponse(token: string): Promise<void>;
  /** The content of a file. Fails when it is larger than `most` bytes. */
  download(url: string, most: number): Promise<Buffer>;
}

/** How long Discord waits for the answer to an interaction. */
const INTERACTION_MS = 3000;
const DOWNLOAD_MS = 15_000;
/** What cannot change the path of a call. */
const ID = /^[\w-]{1,64}$/;
/** Nobody is notified by what a model writes: not everyone, no role, no user. */
const QUIET = { parse: [] } as const;
/** How many users' direct channels are remembered; others are asked for again. */
const MOST_DIRECT = 1000;
const MOST_ADVISED = 1000;

export interface ClientOptions {
  readonly applicationId: string;
  /** Shows a sentence to the operator. */
  readonly warn: (sentence: string) => void;
}

export function createClient({ call }: DiscordApi, { applicationId, warn }: ClientOptions): DiscordClient {
  const nonces = createNonces();
  /** The direct channels of users who were given as a chat. */
  const direct = new BoundedMap<string, string>(MOST_DIRECT);
  const advised = new BoundedMap<string, true>(MOST_ADVISED);

  /** Makes a call for a chat. A chat that is a user's id means their direct channel. */
  async function callIn<Value>(target: ReplyTarget, run: (channel: string) => Promise<Value>): Promise<Value> {
    const channel = target.thread_id ?? direct.get(target.chat_id) ?? target.chat_id;
    if (!ID.test(channel)) {
      throw new CallFailure(`"${channel}" is not the id of a channel`, { status: 404, kind: "permanent" });
    }
    try {
      return await run(channel);
    } catch (thrown) {
      advise(channel, thrown);
      if (codeOf(thrown) !== UNKNOWN_CHANNEL || channel !== target.chat_id) throw thrown;
      const opened = await openDirect(target.chat_id);
      if (opened === null) throw thrown;
      return run(opened);
    }
  }

  /** A missing permission is shown to the operator once a channel. */
  function advise(channel: string, thrown: unknown): void {
    if (!(thrown instanceof DiscordFailure) || thrown.advice === null || advised.has(channel)) return;
    advised.set(channel, true);
    warn(`discord: the bot may not write to the channel ${channel}: ${thrown.message}. ${thrown.advice}`);
  }

  async function openDirect(user: string): Promise<string | null> {
    try {
      const channel = await call("post", Routes.userChannels(), { body: { recipient_id: user } });
      const id = idOf(channel);
      direct.set(user, id);
      return id;
    } catch (thrown) {
      if (callFailureOf(thrown).kind !== "permanent") throw thrown;
      // It is not a user either; the first failure says so.
      return null;
    }
  }

  return {
    async sendMessage(target, text, { signal, buttons } = {}) {
      const components = buttons === undefined ? {} : { components: componentsOf(buttons.choices) };
      return callIn(target, (channel) =>
        nonces.use(channel, text, async (nonce) => {
          const body = { content: text, allowed_mentions: QUIET, nonce, enforce_nonce: true, ...components };
          return idOf(await call("post", Routes.channelMessages(channel), { body, signal }));
        }),
      );
    },
    async editMessage(target, id, text, signal) {
      const body = { content: text, allowed_mentions: QUIET };
      await callIn(target, (channel) => call("patch", Routes.channelMessage(channel, id), { body, signal }));
    },
    async deleteMessage(target, id, signal) {
      await callIn(target, (channel) => call("delete", Routes.channelMessage(channel, id), { signal }));
    },
    async removeButtons(target, { id }, signal) {
      const body = { components: [] };
      await callIn(target, (channel) => call("patch", Routes.channelMessage(channel, id), { body, signal }));
    },
    async showTyping(target) {
      await callIn(target, (channel) => call("post", Routes.channelTyping(channel)));
    },
    getChannel: (id) => call("get", Routes.channel(id)),
    getMessage: (channel, id) => call("get", Routes.channelMessage(channel, id)),
    getRoles: (guild) => call("get", Routes.guildRoles(guild)),
    getCommands: () => call("get", Routes.applicationCommands(applicationId)),
    async setCommands(body) {
      await call("put", Routes.applicationCommands(applicationId), { body });
    },
    async respond({ id, token }, body) {
      const signal = AbortSignal.timeout(INTERACTION_MS);
      await call("post", Routes.interactionCallback(id, token), { body, signal });
    },
    async deleteResponse(token) {
      await call("delete", Routes.webhookMessage(applicationId, token));
    },
    async download(url, most) {
      const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(DOWNLOAD_MS) });
      if (!response.ok || response.body === null) throw new CallFailure(`no file (${response.status})`);
      return readBody(response.body, most);
    },
  };
}

/** The id of an object that Discord answers with. */
export function idOf(answer: unknown): string {
  const { id } = (answer ?? {}) as { id?: unknown };
  if (typeof id !== "string") throw new CallFailure("the server does not speak Discord's API");
  return id;
}
