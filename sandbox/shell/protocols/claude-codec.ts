/** The input of scripts written for Claude Code; their answers are in `claude-answers.ts`. */
import { stringify } from "#core/stringify";
import type { ProtocolCodec } from "#sandbox/shell/codec";
import { SHELL } from "./claude.ts";
import { readRun } from "./claude-answers.ts";
import { claudeEvent, NOTHING, transcriptPath } from "./claude-events.ts";

const DOCUMENT = Symbol("claude document");
const DOCUMENT_WITH_FILES = Symbol("claude document with a transcript");

export const CLAUDE_WIRE: ProtocolCodec = {
  concerns: ({ event, origin }) => origin === undefined || (claudeEvent(event)?.concerns?.(origin) ?? true),
  argv: ({ command, argv, throughShell }) => (command !== null && throughShell ? [SHELL, "-c", command] : argv),
  environment: ({ entry, firing, shellContext: { cwd, env, sessionFiles } }) => {
    const inherited = env["CLAUDE_ENV_FILE"] !== undefined;
    if (!claudeEvent(firing.event)?.exportsVariables) {
      // The file of a Claude Code around this program is not the session's.
      return { CLAUDE_PROJECT_DIR: cwd, ...(inherited ? { CLAUDE_ENV_FILE: "" } : {}) };
    }
    const file = sessionFiles?.environmentFile(firing.session_id, String(entry.index)) ?? NOTHING;
    return { CLAUDE_PROJECT_DIR: cwd, CLAUDE_ENV_FILE: file };
  },
  namesFiles: true,
  document: (firing, place) =>
    firing.form(place.sessionFiles === undefined ? DOCUMENT : DOCUMENT_WITH_FILES, (payload) => {
      const { session_id, parent_session_id } = payload as Readonly<Record<string, unknown>>;
      const { user_session_id, agent } = firing.origin ?? {};
      const event = claudeEvent(firing.event);
      const session = user_session_id || session_id || parent_session_id || "";
      return stringify({
        session_id: session,
        transcript_path: transcriptPath(session, place),
        cwd: place.cwd,
        permission_mode: "default",
        hook_event_name: event?.name ?? firing.event,
        ...(agent === undefined ? {} : { agent_id: agent.id, agent_type: agent.type }),
        ...event?.fields(payload, place),
      });
    }),
  read: readRun,
};
