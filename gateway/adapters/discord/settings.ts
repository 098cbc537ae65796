import type { PlatformSettings } from "#core/home/platform-settings";

/** Where a bot's token is. */
export const PORTAL = "https://discord.com/developers/applications";

/** What is wrong with the settings, as far as they tell without Discord; undefined when nothing is. */
export function discordProblem({ token = "", api_root: root }: PlatformSettings<"discord">): string | undefined {
  if (token === "") {
    return `gateway.platforms.discord.token is missing. Get a token at ${PORTAL}, on the page Bot of your application.`;
  }
  return root === undefined ? undefined : rootProblem(root);
}

/** What is wrong with a token; undefined when nothing shows. */
export function tokenProblem(token: string): string | undefined {
  if (/^Bot\s/i.test(token)) return "Leave out the word Bot: only the token is needed.";
  // https://discord.com/developers/docs/reference#authentication
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)
    ? undefined
    : "A bot's token has three parts with dots between them. Application ID, public key and client secret are others.";
}

function rootProblem(root: string): string | undefined {
  return /^https?:$/.test(new URL(root).protocol)
    ? undefined
    : "gateway.platforms.discord.api_root must start with http:// or https://.";
}
