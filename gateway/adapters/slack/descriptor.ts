import { describePlatform } from "#gateway/adapters/descriptor";
import { slackProblem } from "./settings.ts";

/** An app of Slack, in Socket Mode. */
export const slack = describePlatform({
  name: "slack",
  about: "an app for direct messages, channels and threads",
  problem: slackProblem,
  async create({ bot_token, app_token, api_root }, { log, warn, streaming, database, commands }) {
    const [{ createSlack }, { StartedThreads }, { slashWords }] = await Promise.all([
      import("./adapter.ts"),
      import("#gateway/adapters/shared/started-threads"),
      import("#core/slash-commands"),
    ]);
    const threads = new StartedThreads(database, "slack", log);
    // Those of plugins may change while it runs.
    const isCommand = (word: string) =>
      slashWords("gateway").includes(word) || commands().some(({ name }) => name === word);
    return createSlack({ bot_token, app_token, api_root, log, warn, streaming, threads, isCommand });
  },
  async setup() {
    const { slackSetup } = await import("./setup.ts");
    return slackSetup;
  },
});
