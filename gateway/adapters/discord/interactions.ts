/** Commands that users choose from Discord's list, and presses of buttons. */
import { InteractionResponseType, InteractionType, MessageFlags } from "discord-api-types/v10";
import type { Log } from "#core/home/log";
import { callFailureOf } from "#gateway/adapters/shared/call-failure";
import { messageOf } from "./buttons.ts";
import type { DiscordClient } from "./client.ts";

/** The parts of Discord's `Interaction` that we read. */
export interface DiscordInteraction {
  readonly id?: string;
  readonly token?: string;
  readonly type?: number;
  readonly guild_id?: string;
  readonly channel_id?: string;
  readonly channel?: unknown;
  readonly member?: { readonly user?: { readonly id?: string } };
  readonly user?: { readonly id?: string };
  readonly data?: {
    readonly name?: string;
    readonly options?: readonly { readonly value?: unknown }[];
    readonly custom_id?: string;
  };
}

/** An interaction for us, as the message that it stands for. */
export interface Interaction {
  readonly id: string;
  readonly token: string;
  readonly text: string;
  readonly user: string;
  readonly channel: string;
  /** A command shows "thinking…" until its answer is there. */
  readonly isCommand: boolean;
}

export interface Interactions {
  /** Tells Discord that an interaction has arrived, which it has to be told within three seconds. Never rejects. */
  acknowledge(interaction: Interaction): Promise<void>;
  /** Answers an interaction with a sentence that only its user sees. Never rejects. */
  decline(interaction: Interaction, sentence: string): Promise<void>;
  /** The answer is in the chat: nothing of the interaction is left to show. Never rejects. */
  finish(interaction: Interaction): Promise<void>;
}

/** Discord's limit for changing what an interaction shows is 15 minutes. */
export const FINISHED_WITHIN_MS = 14 * 60_000;

/** Null for interactions that are not ours. */
export function readInteraction(given: DiscordInteraction): Interaction | null {
  const { id, token, type, channel_id: channel } = given;
  const user = given.member?.user?.id ?? given.user?.id;
  const text = textOf(given);
  if (id === undefined || token === undefined || channel === undefined || user === undefined || text === null)
    return null;
  return { id, token, text, user, channel, isCommand: type === InteractionType.ApplicationCommand };
}

function textOf({ type, data = {} }: DiscordInteraction): string | null {
  if (type === InteractionType.MessageComponent) return messageOf(data.custom_id);
  if (type !== InteractionType.ApplicationCommand || data.name === undefined) return null;
  const given = (data.options ?? []).flatMap(({ value }) =>
    typeof value === "string" && value.trim() !== "" ? [value.trim()] : [],
  );
  return [`/${data.name}`, ...given].join(" ");
}

export function createInteractions(client: Pick<DiscordClient, "respond" | "deleteResponse">, log: Log): Interactions {
  const acknowledging = new Map<string, Promise<void>>();

  async function respond(interaction: Interaction, response: object): Promise<void> {
    await client.respond(interaction, response).catch((thrown: unknown) => {
      // The message is answered all the same.
      log.warn(`discord: an interaction could not be acknowledged: ${callFailureOf(thrown).message}`);
    });
  }

  return {
    async acknowledge(interaction) {
      const type = interaction.isCommand
        ? InteractionResponseType.DeferredChannelMessageWithSource
        : InteractionResponseType.DeferredMessageUpdate;
      const done = respond(interaction, { type });
      acknowledging.set(interaction.token, done);
      await done;
      acknowledging.delete(interaction.token);
    },
    decline(interaction, content) {
      const data = { content, flags: MessageFlags.Ephemeral };
      return respond(interaction, { type: InteractionResponseType.ChannelMessageWithSource, data });
    },
    async finish(interaction) {
      if (!interaction.isCommand) return;
      await acknowledging.get(interaction.token);
      await client.deleteResponse(interaction.token).catch((thrown: unknown) => {
        log.debug(`discord: an interaction's response could not be deleted: ${callFailureOf(thrown).message}`);
      });
    },
  };
}
