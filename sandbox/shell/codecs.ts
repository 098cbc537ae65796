/** The codecs of {@link PROTOCOLS}, by the same names. */
import type { ProtocolCodec } from "./codec.ts";
import type { ProtocolName } from "./protocols.ts";
import { CLAUDE_WIRE } from "./protocols/claude-codec.ts";
import { CODEX_WIRE } from "./protocols/codex-codec.ts";
import { COPILOT_WIRE } from "./protocols/copilot-codec.ts";
import { CURSOR_WIRE } from "./protocols/cursor-codec.ts";
import { GEMINI_WIRE } from "./protocols/gemini-codec.ts";
import { HERMES_WIRE } from "./protocols/hermes-codec.ts";

export const WIRES: Readonly<Record<ProtocolName, ProtocolCodec>> = {
  hermes: HERMES_WIRE,
  claude: CLAUDE_WIRE,
  codex: CODEX_WIRE,
  gemini: GEMINI_WIRE,
  cursor: CURSOR_WIRE,
  copilot: COPILOT_WIRE,
};
