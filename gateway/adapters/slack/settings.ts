import type { PlatformSettings } from "#core/home/platform-settings";

/** What is wrong with the settings, as far as they tell without the server; undefined when nothing is. */
export function slackProblem({
  bot_token: bot = "",
  app_token: app = "",
}: PlatformSettings<"slack">): string | undefined {
  return botTokenProblem(bot) ?? appTokenProblem(app);
}

const BOT_TOKEN = "gateway.platforms.slack.bot_token";
const APP_TOKEN = "gateway.platforms.slack.app_token";

/** The kinds of token are at https://docs.slack.dev/authentication/tokens. */
export function botTokenProblem(token: string): string | undefined {
  if (token === "") {
    return `${BOT_TOKEN} is missing. Get the Bot User OAuth Token at https://api.slack.com/apps under OAuth & Permissions.`;
  }
  if (token.startsWith("xoxb-")) return undefined;
  return `${BOT_TOKEN} must be the Bot User OAuth Token, which starts with xoxb-.`;
}

export function appTokenProblem(token: string): string | undefined {
  if (token === "") {
    return `${APP_TOKEN} is missing. Create an app-level token at https://api.slack.com/apps under Basic Information.`;
  }
  if (token.startsWith("xapp-")) return undefined;
  return `${APP_TOKEN} must be the app-level token, which starts with xapp-.`;
}
