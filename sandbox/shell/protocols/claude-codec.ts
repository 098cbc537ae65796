/** The input and the answers of scripts written for Claude Code. */
import { CLAUDE_CODE } from "./claude.ts";
import { claudeVerbs } from "./claude-verbs.ts";
import { transcriptPath } from "./program-events.ts";
import { createProgramCodec, type FiringContext } from "./program-codec.ts";
import type { EventFields } from "./program.ts";

/** The fields that all events of Claude Code share. */
export function claudeShared({ firing, place, row, session }: FiringContext): EventFields {
  const { agent } = firing.origin ?? {};
  return {
    session_id: session,
    transcript_path: transcriptPath(session, place),
    cwd: place.cwd,
    permission_mode: "default",
    hook_event_name: row.name,
    ...(agent === undefined ? {} : { agent_id: agent.id, agent_type: agent.type }),
  };
}

export const CLAUDE_WIRE = createProgramCodec({
  program: CLAUDE_CODE,
  shared: claudeShared,
  verbs: claudeVerbs("Claude Code"),
});
