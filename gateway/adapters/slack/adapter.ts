/** The platform `slack`: an app in Socket Mode, so it needs no public address. */
import { HermesError } from "#core/errors";
import type { Adapter, Draft, Inbox, ReplyTarget } from "#core/ports/platform";
import { splitText } from "#gateway/adapters/shared/split";
import { LONGEST_QUESTION } from "./blocks.ts";
import { splitMarkdown } from "./mrkdwn.ts";
import { startParts, type SlackParts } from "./parts.ts";
import { slackProblem } from "./settings.ts";
import { TIMING, type SlackOptions } from "./options.ts";

export interface SlackAdapter extends Adapter {
  draft(target: ReplyTarget): Draft;
}

/**
 * Creates the adapter; nothing is sent before `start`, which rejects with HERMES_ADAPTER_CONFIG (a token is missing or
 * invalid, or lacks a scope) or HERMES_ADAPTER_START (Slack cannot be reached). Errors and logs never contain a token.
 */
export function createSlack(options: SlackOptions): SlackAdapter {
  const { streaming = () => true } = options;
  // The pace is that of Slack's own servers; another one says itself when it is too much.
  const own = options.api_root === undefined ? {} : { postMs: 0 };
  const timing = { ...TIMING, ...own, ...options.timing };
  let running: SlackParts | undefined;

  async function start(inbox: Inbox): Promise<void> {
    if (running !== undefined) return;
    const problem = slackProblem(options);
    if (problem !== undefined) throw new HermesError("HERMES_ADAPTER_CONFIG", { platform: "slack", problem });
    running = await startParts(options, timing, inbox);
  }

  async function stop(): Promise<void> {
    await running?.stop();
    running = undefined;
  }

  function parts(): SlackParts {
    if (running !== undefined) return running;
    throw new HermesError("HERMES_ADAPTER_SEND", { platform: "slack", problem: "the platform is not running." });
  }

  return {
    name: "slack",
    start,
    stop,
    async send(chatId, text, { thread_id = null, buttons } = {}) {
      const pieces = buttons === undefined ? splitMarkdown(text) : splitText(text, LONGEST_QUESTION);
      await parts().messenger.send({ chat_id: chatId, thread_id }, pieces, buttons);
    },
    draft(target) {
      const { editMs } = timing;
      return parts().messenger.draft(target, { editMs, split: splitMarkdown, live: streaming() });
    },
  };
}
