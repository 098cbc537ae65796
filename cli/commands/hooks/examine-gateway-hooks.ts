/** Whether the gateway can use the folders of `hooks/`, found out without running a handler. */
import type { FolderDiscovery, FoundFolder } from "#gateway/hooks/discover";
import { findCodeProblem } from "#sandbox/check/parse";
import type { Findings } from "./examine-entry.ts";
import { listFolder } from "./list-gateway-hooks.ts";
import type { ListedHook } from "./listed-hook.ts";

type ExaminedFolder = Findings & ListedHook;

/** An element for each event, what is wrong with a folder at its first; a folder that is switched off has no problem. */
export async function examineFolders({ folders }: FolderDiscovery): Promise<readonly ExaminedFolder[]> {
  const examined: ExaminedFolder[] = [];
  for (const found of folders) {
    const problems = await problemsOf(found);
    const elements = listFolder(found);
    examined.push(...elements.map((hook, index) => ({ ...hook, problems: index === 0 ? problems : [], notes: [] })));
  }
  return examined;
}

async function problemsOf(found: FoundFolder): Promise<readonly string[]> {
  if (found.kind === "skipped") return [found.reason];
  if (!found.hook.enabled) return [];
  const code = await findCodeProblem(found.hook);
  return [...found.warnings, ...(code === null ? [] : [code])];
}
