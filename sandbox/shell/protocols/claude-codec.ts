/** The input of scripts written for Claude Code; their answers are in `claude-answers.ts`. */
import { stringify } from "#core/stringify";
import type { ProtocolCodec } from "#sandbox/shell/codec";
import { SHELL } from "./claude.ts";
import { readRun } from "./claude-answers.ts";
import { claudeEvent } from "./claude-events.ts";

const DOCUMENT = Symbol("claude document");

export const CLAUDE_WIRE: ProtocolCodec = {
  concerns: ({ event, origin }) => origin === undefined || (claudeEvent(event)?.concerns?.(origin) ?? true),
  argv: ({ command, argv, throughShell }) => (command !== null && throughShell ? [SHELL, "-c", command] : argv),
  environment: ({ cwd }) => ({ CLAUDE_PROJECT_DIR: cwd }),
  document: (firing, place) =>
    firing.form(DOCUMENT, (payload) => {
      const { session_id, parent_session_id } = payload as Readonly<Record<string, unknown>>;
      const { user_session_id, agent } = firing.origin ?? {};
      const event = claudeEvent(firing.event);
      return stringify({
        session_id: user_session_id || session_id || parent_session_id || "",
        // Conversations are stored in a database, not in files.
        transcript_path: "",
        cwd: place.cwd,
        permission_mode: "default",
        hook_event_name: event?.name ?? firing.event,
        ...(agent === undefined ? {} : { agent_id: agent.id, agent_type: agent.type }),
        ...event?.fields(payload, place),
      });
    }),
  read: readRun,
};
