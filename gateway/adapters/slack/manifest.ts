/**
 * What the app needs at Slack. The manifest of the setup, the check of the token's scopes and the documentation all
 * come from here (https://docs.slack.dev/reference/app-manifest).
 */

interface Scope {
  readonly name: string;
  /** What it is for, for the documentation and for the sentence about a missing one. */
  readonly purpose: string;
}

/** The scopes of the bot's token. */
export const BOT_SCOPES: readonly Scope[] = [
  { name: "app_mentions:read", purpose: "be mentioned" },
  { name: "channels:history", purpose: "read messages in public channels it is in" },
  { name: "chat:write", purpose: "answer, update and delete its own messages, and show its status" },
  { name: "commands", purpose: "offer `/hermes`" },
  { name: "files:read", purpose: "load images that are sent to it" },
  { name: "groups:history", purpose: "read messages in private channels it is in" },
  { name: "im:history", purpose: "read direct messages to it" },
  { name: "mpim:history", purpose: "read group direct messages it is in" },
  { name: "users:read", purpose: "tell the model the names of users" },
];

/** The scope without which nothing works: the platform does not start. */
export const VITAL_SCOPE = "chat:write";

/** The events that the app subscribes to. */
const BOT_EVENTS = ["app_mention", "message.channels", "message.groups", "message.im", "message.mpim"] as const;

/** The slash command that users type. */
const COMMAND = "/hermes";

/** The app's manifest, to be pasted at Slack as YAML. */
export const MANIFEST = {
  display_information: { name: "Hermes", description: "An AI agent of your own" },
  features: {
    app_home: { home_tab_enabled: false, messages_tab_enabled: true, messages_tab_read_only_enabled: false },
    bot_user: { display_name: "Hermes", always_online: true },
    slash_commands: [
      {
        command: COMMAND,
        description: "Run a command of Hermes, or ask it something",
        usage_hint: "help",
        should_escape: true,
      },
    ],
  },
  oauth_config: { scopes: { bot: BOT_SCOPES.map(({ name }) => name) } },
  settings: {
    event_subscriptions: { bot_events: BOT_EVENTS },
    interactivity: { is_enabled: true },
    org_deploy_enabled: false,
    socket_mode_enabled: true,
    token_rotation_enabled: false,
  },
} as const;

/** The needed scopes that are not among the granted ones. */
export function missingScopes(granted: readonly string[]): readonly string[] {
  return BOT_SCOPES.map(({ name }) => name).filter((name) => !granted.includes(name));
}

/** What to do about missing scopes, in one sentence. */
export function missingScopesSentence(missing: readonly string[]): string {
  const [word, pronoun] = missing.length === 1 ? ["scope", "it"] : ["scopes", "them"];
  return (
    `The Slack app lacks the ${word} ${missing.join(", ")}: add ${pronoun} at https://api.slack.com/apps under OAuth & ` +
    "Permissions, then reinstall the app to the workspace."
  );
}
