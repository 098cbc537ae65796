import type { Tool } from "#core/ports/agent";
import type { AgentDeps } from "./scope.ts";

/** These tools, with those of the moment that come and go. */
export function withChangingTools(
  { changingTools }: Pick<AgentDeps, "changingTools">,
  tools: readonly Tool[],
): () => readonly Tool[] {
  if (changingTools === undefined) return () => tools;
  const taken = new Set(tools.map(({ name }) => name));
  return () => [...tools, ...changingTools().filter(({ name }) => !taken.has(name))];
}
