/** Whether the gateway can use the folders of `hooks/`, found out without running a handler. */
import type { GatewayHookDiscovery, FoundGatewayHook } from "#gateway/hooks/discover";
import type { CodeCheck } from "#core/ports/tier";
import type { ExaminedHook } from "./doctor-report.ts";
import type { Findings } from "./examine-entry.ts";
import { listGatewayHook } from "./list-gateway-hooks.ts";
import type { ListedHook } from "./listed-hook.ts";

type ExaminedGatewayHook = Findings & ListedHook & Pick<ExaminedHook, "broken">;

/**
 * An element for each event. What is wrong with a folder is at its first, and marks all of them; a folder that is
 * switched off has no problem.
 */
export async function examineGatewayHooks(
  { hooks }: GatewayHookDiscovery,
  findCodeProblem: CodeCheck,
): Promise<readonly ExaminedGatewayHook[]> {
  const examined: ExaminedGatewayHook[] = [];
  for (const found of hooks) {
    const code = await findLoadProblem(found, findCodeProblem);
    const problems = [...(found.kind === "hook" && found.hook.enabled ? found.warnings : []), ...code];
    const broken = code.length > 0 ? ({ broken: true } as const) : {};
    const elements = listGatewayHook(found);
    examined.push(
      ...elements.map((hook, index) => ({ ...hook, ...broken, problems: index === 0 ? problems : [], notes: [] })),
    );
  }
  return examined;
}

/** Why a folder does not load. */
async function findLoadProblem(found: FoundGatewayHook, findCodeProblem: CodeCheck): Promise<readonly string[]> {
  if (found.kind === "skipped") return [found.reason];
  const code = found.hook.enabled ? await findCodeProblem(found.hook) : null;
  return code === null ? [] : [code];
}
