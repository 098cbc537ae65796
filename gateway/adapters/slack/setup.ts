/** How `hermes gateway setup` asks for the settings of Slack. */
import { stringify } from "yaml";
import type { Log } from "#core/home/log";
import { callFailureOf } from "#gateway/adapters/shared/call-failure";
import type { PlatformSetup } from "#gateway/adapters/setup";
import { findSlackAccount, slackRedactor, socketError } from "./account.ts";
import { createCaller } from "./caller.ts";
import { MANIFEST } from "./manifest.ts";
import { appTokenProblem, botTokenProblem } from "./settings.ts";

/** The manifest to paste at Slack. */
export function manifestText(): string {
  return stringify(MANIFEST, { lineWidth: 0 });
}

/** What the packages log is of no use here: the check says what is wrong. */
const SILENT: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => SILENT,
};

export const slackSetup: PlatformSetup = {
  steps: [
    "Open https://api.slack.com/apps, choose Create New App, then From a manifest, and your workspace. Paste this as YAML:" +
      `\n\n${manifestText()}\n\nThen choose Next and Create.`,
    "Under Install App, install the app to your workspace and copy the Bot User OAuth Token (xoxb-…).",
    "Under Basic Information, App-Level Tokens, generate a token with the scope connections:write and copy it (xapp-…).",
    "Once the gateway runs, invite the bot to the channels where it is used, with /invite @Hermes.",
  ],
  fields: [
    {
      key: "bot_token",
      label: "Bot token",
      hint: "The Bot User OAuth Token under OAuth & Permissions; it starts with xoxb-.",
      secret: true,
      problem: botTokenProblem,
    },
    {
      key: "app_token",
      label: "App token",
      hint: "The app-level token under Basic Information; it starts with xapp-.",
      secret: true,
      problem: appTokenProblem,
    },
    {
      key: "allowed_users",
      label: "Allowed users",
      hint: "Member IDs such as U012AB3CD (in a profile: ⋮, Copy member ID). Leave it empty to let users pair.",
      optional: true,
      list: true,
    },
  ],
  async check({ bot_token: botToken = "", app_token: appToken = "" }, apiRoot) {
    const redact = slackRedactor([botToken, appToken]);
    const { account, root, notes } = await findSlackAccount({ botToken, apiRoot, redact, log: SILENT });
    const open = await createCaller({ token: appToken, root, redact, log: SILENT });
    // It gives an address for a connection, which expires when nobody connects.
    await open("apps.connections.open").catch((thrown: unknown) => {
      throw socketError(callFailureOf(thrown), root.url);
    });
    return { account: `@${account.name} in ${account.workspace}`, notes };
  },
};
