/** How `hermes gateway setup telegram` asks. Steps and limits: core.telegram.org/bots/features#botfather. */
import { HermesError } from "#core/errors";
import type { PlatformSetup, SetupCheck } from "#gateway/adapters/setup";
import { createClient } from "./client.ts";
import { telegramFailureOf } from "./failure.ts";
import { DEFAULT_ROOT } from "./settings.ts";

/** How long the server may take. */
const CHECK_MS = 15_000;

const PRIVACY =
  "In groups, this bot sees only commands and replies. To change that, send /setprivacy to @BotFather and choose Disable.";

export const telegramSetup: PlatformSetup = {
  steps: [
    "In Telegram, open a chat with @BotFather and send /newbot.",
    "Choose a name and a username that ends in “bot”. @BotFather answers with a token.",
    "To use the bot in groups, send /setprivacy and choose Disable. Otherwise it sees only commands and replies there.",
  ],
  fields: [
    {
      key: "token",
      label: "Bot token",
      hint: "From @BotFather, such as 123456789:AAF-n8Ztq… For a bot that exists, send it /mybots and choose API Token.",
      secret: true,
      problem: (value) =>
        /^\d+:[\w-]{20,}$/.test(value)
          ? undefined
          : "This is not a bot token: those are digits, a colon and at least 20 letters, digits, - and _.",
    },
    {
      key: "allowed_users",
      label: "Allowed users",
      hint: "The ids of the users who may use the bot, numbers such as 123456789, separated by commas. Without any, users pair with a code.",
      optional: true,
      list: true,
      problem: (value) =>
        /^(?:\*|\d+)$/.test(value)
          ? undefined
          : `"${value}" is not a user id. Telegram's are numbers; a name such as @ada does not work here.`,
    },
  ],
  check,
};

async function check({ token = "" }: Readonly<Record<string, string>>, apiRoot = DEFAULT_ROOT): Promise<SetupCheck> {
  const client = await createClient({ token, apiRoot, pollSlackMs: 0, onMoved: () => undefined });
  try {
    const { username, readsGroups } = await client.getMe(AbortSignal.timeout(CHECK_MS));
    return {
      account: username === null ? "a bot without a username" : `@${username}`,
      notes: readsGroups ? [] : [PRIVACY],
    };
  } catch (thrown) {
    const { status, message } = telegramFailureOf(thrown);
    const platform = "telegram";
    if (status === 401 || status === 404) {
      const problem = `${apiRoot} rejected the token (${message}). Copy it again from @BotFather: /mybots, then API Token.`;
      throw new HermesError("HERMES_ADAPTER_CONFIG", { platform, problem });
    }
    throw new HermesError("HERMES_ADAPTER_START", { platform, problem: `${apiRoot} cannot be reached: ${message}` });
  }
}
