/** What runs the protocols of {@link PROTOCOLS}, by the same names. */
import type { Wire } from "./protocol.ts";
import type { ProtocolName } from "./protocols.ts";
import { CLAUDE_WIRE } from "./protocols/claude-wire.ts";
import { HERMES_WIRE } from "./protocols/hermes-wire.ts";

export const WIRES: Readonly<Record<ProtocolName, Wire>> = { hermes: HERMES_WIRE, claude: CLAUDE_WIRE };
