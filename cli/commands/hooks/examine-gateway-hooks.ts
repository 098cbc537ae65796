/** Whether the gateway can use the folders of `hooks/`, found out without running a handler. */
import type { GatewayHookDiscovery, FoundGatewayHook } from "#gateway/hooks/discover";
import { findCodeProblem } from "#cli/tiers";
import type { Findings } from "./examine-entry.ts";
import { listGatewayHook } from "./list-gateway-hooks.ts";
import type { ListedHook } from "./listed-hook.ts";

type ExaminedGatewayHook = Findings & ListedHook;

/** An element for each event, what is wrong with a folder at its first; a folder that is switched off has no problem. */
export async function examineGatewayHooks({ hooks }: GatewayHookDiscovery): Promise<readonly ExaminedGatewayHook[]> {
  const examined: ExaminedGatewayHook[] = [];
  for (const found of hooks) {
    const problems = await problemsOf(found);
    const elements = listGatewayHook(found);
    examined.push(...elements.map((hook, index) => ({ ...hook, problems: index === 0 ? problems : [], notes: [] })));
  }
  return examined;
}

async function problemsOf(found: FoundGatewayHook): Promise<readonly string[]> {
  if (found.kind === "skipped") return [found.reason];
  if (!found.hook.enabled) return [];
  const code = await findCodeProblem(found.hook);
  return [...found.warnings, ...(code === null ? [] : [code])];
}
