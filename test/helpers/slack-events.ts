/** What Slack sends about people and messages, in the shapes of https://docs.slack.dev/reference/events. */

export const BOT_TOKEN = "xoxb-test-bot-token-of-the-fake-server";
export const APP_TOKEN = "xapp-test-app-token-of-the-fake-server";
export const BOT_USER = "U0HERMES";
export const BOT_ID = "B0HERMES";
export const TEAM = "T0TEAM";
export const APP = "A0HERMES";
/** A user, their direct chat with the bot, and a channel. */
export const ADA = "U042";
export const DIRECT = "D042";
export const CHANNEL = "C1";

export type Fields = Readonly<Record<string, unknown>>;

/** The event of a text message in a direct chat. */
export function messageEvent(text: string, ts: string, fields: Fields = {}): Fields & { readonly ts: string } {
  return {
    type: "message",
    user: ADA,
    text,
    ts,
    client_msg_id: `client-${ts}`,
    team: TEAM,
    channel: DIRECT,
    channel_type: "im",
    event_ts: ts,
    ...fields,
  };
}

/** `app_mention` has no `channel_type`, and another name; the rest is that of the message. */
export function mentionEvent(message: Fields): Fields {
  const { channel_type: _left, ...rest } = message;
  return { ...rest, type: "app_mention" };
}

/** The payload of an `events_api` envelope. */
export function eventPayload(event: Fields, id: string): Fields {
  return {
    token: "verification-token",
    team_id: TEAM,
    api_app_id: APP,
    event,
    type: "event_callback",
    event_id: id,
    event_time: 1_700_000_000,
    authorizations: [{ enterprise_id: null, team_id: TEAM, user_id: BOT_USER, is_bot: true }],
    is_ext_shared_channel: false,
  };
}

/** The payload of a `slash_commands` envelope. */
export function commandPayload(text: string, trigger: string, fields: Fields = {}): Fields {
  return {
    token: "verification-token",
    team_id: TEAM,
    team_domain: "test",
    channel_id: DIRECT,
    channel_name: "directmessage",
    user_id: ADA,
    user_name: "ada",
    command: "/hermes",
    text,
    api_app_id: APP,
    is_enterprise_install: "false",
    response_url: "https://hooks.slack.com/commands/T0TEAM/1/x",
    trigger_id: trigger,
    ...fields,
  };
}

export interface StoredMessage {
  readonly channel: string;
  readonly ts: string;
  text: string;
  readonly thread: string | undefined;
  blocks: readonly Block[];
  readonly user: string;
}

export interface Block {
  readonly type: string;
  readonly block_id?: string;
  readonly text?: { readonly type: string; readonly text: string };
  readonly elements?: readonly BlockButton[];
}

export interface BlockButton {
  readonly type: string;
  readonly action_id: string;
  readonly text: { readonly type: string; readonly text: string };
  readonly value: string;
  readonly style?: string;
}

/** The payload of an `interactive` envelope: somebody pressed a button of a message. */
export function pressPayload(
  { channel, ts, text, thread, blocks }: StoredMessage,
  label: string,
  { user, at }: { readonly user: string; readonly at: string },
): Fields {
  const block = blocks.find(({ type }) => type === "actions");
  const button = block?.elements?.find((one) => one.text.text === label);
  if (button === undefined) throw new Error(`the message has no button "${label}"`);
  return {
    type: "block_actions",
    user: { id: user, username: user.toLowerCase(), name: user.toLowerCase(), team_id: TEAM },
    api_app_id: APP,
    token: "verification-token",
    container: { type: "message", message_ts: ts, channel_id: channel, is_ephemeral: false },
    trigger_id: `trigger-${at}`,
    team: { id: TEAM, domain: "test" },
    channel: { id: channel, name: "directmessage" },
    message: {
      type: "message",
      user: BOT_USER,
      bot_id: BOT_ID,
      ts,
      text,
      blocks,
      ...(thread === undefined ? {} : { thread_ts: thread }),
    },
    response_url: "https://hooks.slack.com/actions/T0TEAM/1/x",
    actions: [{ ...button, block_id: block?.block_id ?? "b", action_ts: at }],
  };
}

/** The `user` of `users.info`. */
export function userProfile(id: string, fields: Fields = {}): Fields {
  return {
    id,
    team_id: TEAM,
    name: "ada",
    deleted: false,
    real_name: "Ada Lovelace",
    profile: { real_name: "Ada Lovelace", display_name: "ada" },
    is_bot: false,
    ...fields,
  };
}
