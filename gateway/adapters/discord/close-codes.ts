/** Why Discord refuses a bot's connection, and what the operator has to do about it. */
import { GatewayCloseCodes, GatewayIntentBits } from "discord-api-types/v10";

/** What the bot wants to hear of: servers and their threads, messages in both kinds of chat, and what they say. */
export const INTENTS =
  GatewayIntentBits.Guilds |
  GatewayIntentBits.GuildMessages |
  GatewayIntentBits.DirectMessages |
  GatewayIntentBits.MessageContent;

export interface Refusal {
  /** Without a full stop, as the advice is. */
  readonly problem: string;
  readonly advice: string;
}

const TOKEN_REFUSAL: Refusal = {
  problem: "Discord rejected the bot's token",
  advice: "Check gateway.platforms.discord.token",
};

export const CONTENT_REFUSAL: Refusal = {
  problem: "the bot may not read messages, because its Message Content Intent is off",
  advice:
    "Switch on Message Content Intent at https://discord.com/developers/applications, on the page Bot of your " +
    "application",
};

/** https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway: those after which nothing can be resumed. */
const REFUSALS: Readonly<Record<number, Refusal>> = {
  [GatewayCloseCodes.AuthenticationFailed]: TOKEN_REFUSAL,
  [GatewayCloseCodes.DisallowedIntents]: CONTENT_REFUSAL,
  [GatewayCloseCodes.InvalidIntents]: { problem: "Discord rejected the intents", advice: "Update hermes-hooks" },
  [GatewayCloseCodes.InvalidAPIVersion]: { problem: "Discord ended this API version", advice: "Update hermes-hooks" },
  [GatewayCloseCodes.InvalidShard]: { problem: "Discord rejected the shard", advice: "Update hermes-hooks" },
  [GatewayCloseCodes.ShardingRequired]: {
    problem: "the bot is in too many servers for one connection",
    advice: "Remove it from some, or use a bot of its own for hermes",
  },
};

/** The refusal that a close code means; null for one after which the library connects again. */
export function refusalOf(code: number): Refusal | null {
  return REFUSALS[code] ?? null;
}
