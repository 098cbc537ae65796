/** The input and the answers of scripts written for Codex. */
import { claudeShared } from "./claude-codec.ts";
import { claudeVerbs } from "./claude-verbs.ts";
import { CODEX_CLI } from "./codex.ts";
import { createProgramCodec } from "./program-codec.ts";
import type { EventFields } from "./program.ts";

export const CODEX_WIRE = createProgramCodec({
  program: CODEX_CLI,
  shared(context) {
    const { place, session, firing } = context;
    const { model, task_id } = firing.payload as EventFields;
    return {
      ...claudeShared(context),
      transcript_path: place.sessionFiles?.transcript(session) ?? null,
      turn_id: task_id ?? session,
      model: model ?? "",
    };
  },
  verbs: claudeVerbs("Codex"),
});
