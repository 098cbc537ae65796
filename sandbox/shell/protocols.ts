/** THE table of protocols, by the value of an entry's `protocol`. */
import type { Protocol } from "./protocol.ts";
import { CLAUDE } from "./protocols/claude.ts";
import { CODEX } from "./protocols/codex.ts";
import { COPILOT } from "./protocols/copilot.ts";
import { CURSOR } from "./protocols/cursor.ts";
import { GEMINI } from "./protocols/gemini.ts";
import { HERMES } from "./protocols/hermes.ts";

export const PROTOCOLS = {
  hermes: HERMES,
  claude: CLAUDE,
  codex: CODEX,
  gemini: GEMINI,
  cursor: CURSOR,
  copilot: COPILOT,
} as const satisfies Record<string, Protocol>;

export type ProtocolName = keyof typeof PROTOCOLS;

export const PROTOCOL_NAMES = Object.keys(PROTOCOLS) as readonly ProtocolName[];

export function isProtocolName(name: unknown): name is ProtocolName {
  return typeof name === "string" && Object.hasOwn(PROTOCOLS, name);
}
