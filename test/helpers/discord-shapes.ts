/** The objects of Discord's API, as its documentation shows them, with the fields that a bot reads. */
import {
  ApplicationCommandType,
  type ChannelType,
  ComponentType,
  InteractionType,
  MessageType,
} from "discord-api-types/v10";

export type Fields = Readonly<Record<string, unknown>>;

export interface Channel {
  readonly id: string;
  readonly type: ChannelType;
  readonly guild_id?: string;
  readonly parent_id?: string;
  readonly owner_id?: string;
  readonly name?: string;
}

export interface Message {
  readonly id: string;
  readonly channel_id: string;
  content: string;
  readonly author: Fields;
  components: readonly Fields[];
}

const EPOCH = 1_420_070_400_000n;
let lastId = 0n;

/** An id as Discord makes them: the time, and a number. */
export function snowflake(): string {
  return String(((BigInt(Date.now()) - EPOCH) << 22n) + (lastId++ % 4_194_304n));
}

export const BOT_ID = "1111111111111111111";
export const GUILD_ID = "2222222222222222222";
export const GENERAL_ID = "3333333333333333333";
/** The role that Discord makes for a bot. */
export const BOT_ROLE_ID = "1212121212121212121";

export const BOT = { id: BOT_ID, username: "HermesTestBot", discriminator: "0", global_name: null, bot: true };
export const ADA = { id: "4444444444444444444", username: "ada", discriminator: "0", global_name: "Ada L." };
export const BOB = { id: "5555555555555555555", username: "bob", discriminator: "0", global_name: null };

/** The direct chat of a user with the bot. */
export function directChannel({ id }: { readonly id: string }): string {
  return `77${id.slice(2)}`;
}

/** The payload of MESSAGE_CREATE. */
export function messageCreate({ id, type = MessageType.Default, ...fields }: Fields): Fields {
  return {
    id: id ?? snowflake(),
    type,
    timestamp: "2026-11-29T12:00:00.000000+00:00",
    edited_timestamp: null,
    tts: false,
    mention_everyone: false,
    mentions: [],
    mention_roles: [],
    attachments: [],
    embeds: [],
    pinned: false,
    ...fields,
  };
}

export interface InteractionOptions {
  readonly user: Fields & { readonly id: string };
  readonly channel: Channel;
}

/** The payload of INTERACTION_CREATE for `/name`. */
export function commandInteraction(name: string, argument: string | null, options: InteractionOptions): Fields {
  const given = argument === null ? [] : [{ name: "arguments", type: 3, value: argument }];
  return interaction(InteractionType.ApplicationCommand, options, {
    data: { id: snowflake(), type: ApplicationCommandType.ChatInput, name, options: given },
  });
}

/** The payload of INTERACTION_CREATE for a press of a button. */
export function pressInteraction(message: Message, customId: string, options: InteractionOptions): Fields {
  return interaction(InteractionType.MessageComponent, options, {
    data: { component_type: ComponentType.Button, custom_id: customId },
    message: messageCreate({ ...message }),
  });
}

function interaction(type: InteractionType, { user, channel }: InteractionOptions, fields: Fields): Fields {
  const { guild_id: guild } = channel;
  const who = guild === undefined ? { user } : { guild_id: guild, member: { user, nick: null, roles: [] } };
  return {
    id: snowflake(),
    application_id: BOT_ID,
    type,
    token: `interaction-${snowflake()}`,
    version: 1,
    channel_id: channel.id,
    channel,
    ...who,
    ...fields,
  };
}
