/** Reads the texts of Slack's messages (https://docs.slack.dev/messaging/formatting-message-text). */

/** Names for the ids in texts. */
export type NameOf = (userId: string) => string;

/** `<@U1>`, `<#C1|general>`, `<!here>`, `<https://example.com|label>`: text itself has `<` as `&lt;`. */
const ENTITY = /<([^<>\n]+)>/g;
const USER = /^@([A-Z0-9]+)(?:\|(.*))?$/;

/** The ids of the users that a text mentions, each once. */
export function mentionedUsers(text: string): readonly string[] {
  const ids = [...text.matchAll(ENTITY)].map(([, entity = ""]) => USER.exec(entity)?.[1]);
  return [...new Set(ids.filter((id) => id !== undefined))];
}

/** The text without mentions of this user, for the bot's own. */
export function withoutMention(text: string, userId: string): string {
  const mention = new RegExp(`[ \\t]*<@${userId}(?:\\|[^<>\\n]*)?>`, "g");
  return text.replace(mention, "").trim();
}

/** The text as people see it: names instead of ids, addresses instead of links, no escapes. */
export function readableText(text: string, nameOf: NameOf): string {
  return unescape(text.replace(ENTITY, (_whole, entity: string) => readable(entity, nameOf)));
}

function readable(entity: string, nameOf: NameOf): string {
  const [, user] = USER.exec(entity) ?? [];
  if (user !== undefined) return `@${nameOf(user)}`;
  const bar = entity.indexOf("|");
  const target = bar < 0 ? entity : entity.slice(0, bar);
  const label = bar < 0 ? "" : entity.slice(bar + 1);
  // A channel, and what a group of users or a date is shown as.
  if (target.startsWith("#")) return `#${label || target.slice(1)}`;
  if (target.startsWith("!subteam^")) return label || `@${target.slice("!subteam^".length)}`;
  if (target.startsWith("!")) return label || `@${target.slice(1)}`;
  const address = target.replace(/^mailto:/, "");
  // Slack adds the scheme to what users write as example.com.
  return label === "" || address.replace(/^https?:\/\//, "") === label ? address : `${label} (${address})`;
}

function unescape(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
