import type { PlatformSettings } from "#core/home/platform-settings";

/** What is wrong with the settings, as far as they tell without the server; undefined when nothing is. */
export function telegramProblem({ token = "" }: PlatformSettings<"telegram">): string | undefined {
  return token === "" ? "gateway.platforms.telegram.token is missing. Get a token from @BotFather." : undefined;
}

/** Telegram's own Bot API server. */
export const DEFAULT_ROOT = "https://api.telegram.org";
