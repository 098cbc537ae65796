/** Whether the gateway can use the folders of `hooks/`, found out without running a handler. */
import type { FolderDiscovery, FoundFolder } from "#sandbox/folders/discover";
import { findSyntaxProblem } from "#sandbox/folders/syntax";
import type { Findings } from "./examine-entry.ts";
import { listFolder } from "./list-folders.ts";
import type { ListedHook } from "./list.ts";

type ExaminedFolder = Findings & ListedHook;

/** An element for each event, what is wrong with a folder at its first; a folder that is switched off has no problem. */
export function examineFolders({ folders }: FolderDiscovery): readonly ExaminedFolder[] {
  return folders.flatMap((found) => {
    const problems = problemsOf(found);
    return listFolder(found).map((hook, index) => ({ ...hook, problems: index === 0 ? problems : [], notes: [] }));
  });
}

function problemsOf(found: FoundFolder): readonly string[] {
  if (found.kind === "skipped") return [found.reason];
  if (!found.hook.enabled) return [];
  const syntax = findSyntaxProblem(found.hook.handler);
  return [...found.warnings, ...(syntax === null ? [] : [syntax])];
}
