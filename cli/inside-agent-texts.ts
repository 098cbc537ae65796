/** What a hermes that a tool of the agent started prints of messages and prompts: it goes to the model. */
import { agentHomes } from "#core/agent-mark";
import type { Config } from "#core/home/config";

/**
 * The items as they may be printed: without secrets in their texts when an agent started this process, else as they
 * are.
 */
export async function asShownInsideAgent<Item extends object>(
  items: readonly Item[],
  { values }: Pick<Config, "values">,
  env: NodeJS.ProcessEnv,
): Promise<readonly Item[]> {
  if (items.length === 0 || agentHomes(env).length === 0) return items;
  const { createRedactor } = await import("#core/home/redact");
  const { secretsOf } = await import("./host-files.ts");
  const redact = createRedactor(env, secretsOf(values));
  return items.map((item) => {
    const entries = Object.entries(item).map(([key, value]: [string, unknown]) => [
      key,
      typeof value === "string" ? redact(value) : value,
    ]);
    return Object.fromEntries(entries) as Item;
  });
}
