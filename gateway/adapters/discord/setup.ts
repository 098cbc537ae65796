/** How `hermes gateway setup discord` asks for the settings. */
import { createRedactor } from "#gateway/adapters/shared/redaction";
import type { PlatformSetup } from "#gateway/adapters/setup";
import { openAccount } from "./account.ts";
import { CONTENT_REFUSAL } from "./close-codes.ts";
import { PORTAL, tokenProblem } from "./settings.ts";

/**
 * View Channel, Send Messages, Read Message History, Send Messages in Threads
 * (https://discord.com/developers/docs/topics/permissions#permissions-bitwise-permission-flags).
 */
const PERMISSIONS = String((1n << 10n) | (1n << 11n) | (1n << 16n) | (1n << 38n));
const CHECK_MS = 15_000;
const ID = /^\d{15,21}$/;

export const discordSetup: PlatformSetup = {
  steps: [
    `Open ${PORTAL}, choose New Application and give it the name of your bot.`,
    "On the page Bot, switch on Message Content Intent and save.",
    "On the same page, choose Reset Token and copy the token.",
  ],
  fields: [
    {
      key: "token",
      label: "Bot token",
      hint: "From the page Bot of your application; Discord shows it once.",
      secret: true,
      problem: tokenProblem,
    },
    {
      key: "allowed_users",
      label: "Allowed users",
      hint: "Ids of users; others can pair. In Discord, switch on Developer Mode (Settings, Advanced), then right-click a user and choose Copy User ID.",
      optional: true,
      list: true,
      problem: idProblem,
    },
    {
      key: "allowed_channels",
      label: "Allowed channels",
      hint: "Ids of channels of servers; without any, the bot answers in all that it can see. Right-click a channel and choose Copy Channel ID.",
      optional: true,
      list: true,
      problem: idProblem,
    },
  ],
  async check({ token = "" }, root) {
    const signal = AbortSignal.timeout(CHECK_MS);
    const account = await openAccount({ token, root, redact: createRedactor([token]), signal });
    account.api.close();
    return {
      account: `@${account.name}`,
      notes: [
        `To add the bot to a server, open ${inviteUrl(account.applicationId)}`,
        ...(account.mayRead ? [] : [`${CONTENT_REFUSAL.advice}.`]),
      ],
    };
  },
};

/** The page that adds the bot to a server, with its commands and the permissions that it needs. */
function inviteUrl(applicationId: string): string {
  const query = new URLSearchParams({
    client_id: applicationId,
    scope: "bot applications.commands",
    permissions: PERMISSIONS,
  });
  return `https://discord.com/oauth2/authorize?${query.toString()}`;
}

function idProblem(value: string): string | undefined {
  return value === "*" || ID.test(value) ? undefined : `"${value}" is not an id: ids are numbers of 17 to 20 digits.`;
}
