/** What the events of several programs have in common. */
import { isMapping } from "#core/mapping";
import type { ShellContext } from "#sandbox/shell/protocol";
import type { EventFields, ProgramEvent } from "./program.ts";

/** Takes everything and has nothing in it. */
export const NOTHING = "/dev/null";

/** Readable in any case: empty where there is no transcript. */
export function transcriptPath(sessionId: unknown, { sessionFiles }: ShellContext): string {
  return (typeof sessionId === "string" ? sessionFiles?.transcript(sessionId) : null) ?? NOTHING;
}

type Concerns = NonNullable<ProgramEvent["concerns"]>;

/** A child agent has events of its own instead. */
export const ofUser: Concerns = ({ origin }) => origin?.agent === undefined;

/** A call that a gate blocked never ran. */
export const ofCall: Concerns = ({ origin }) => origin?.blocked !== true;

/** A call that ran and did not fail. */
export const ofSuccess: Concerns = (firing) => ofCall(firing) && errorIn(firing.payload) === undefined;

/** A call that ran and failed. */
export const ofFailure: Concerns = (firing) => ofCall(firing) && errorIn(firing.payload) !== undefined;

/** The error of a tool's result, if it is one. */
export function errorIn(payload: object): string | undefined {
  const result = parsedResult((payload as EventFields)["result"]);
  return isMapping(result) && typeof result["error"] === "string" ? result["error"] : undefined;
}

/** Parses a tool's result, which is a JSON string. */
export function parsedResult(result: unknown): unknown {
  if (typeof result !== "string") return result ?? null;
  try {
    return JSON.parse(result) as unknown;
  } catch {
    // A result that is not JSON is text.
    return result;
  }
}

/** True for a tool of an MCP server. */
export function isMcpTool(tool: string): boolean {
  return tool.startsWith("mcp_");
}
