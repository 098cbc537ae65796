/** The codecs of {@link PROTOCOLS}, by the same names. */
import type { ProtocolCodec } from "./codec.ts";
import type { ProtocolName } from "./protocols.ts";
import { CLAUDE_WIRE } from "./protocols/claude-codec.ts";
import { HERMES_WIRE } from "./protocols/hermes-codec.ts";

export const WIRES: Readonly<Record<ProtocolName, ProtocolCodec>> = { hermes: HERMES_WIRE, claude: CLAUDE_WIRE };
