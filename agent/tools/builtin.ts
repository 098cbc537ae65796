import type { Tool } from "#core/ports/agent";
import { createPatch } from "./patch.ts";
import type { ToolDeps } from "./resolved-path.ts";
import { createReadFile } from "./read-file.ts";
import { createSearchFiles } from "./search-files.ts";
import { createTerminal } from "./terminal.ts";
import { createWriteFile } from "./write-file.ts";

/** The tools that every agent has (CONTRACT §3), except `delegate_task`. They run and read nothing until called. */
export function createBuiltinTools(deps: ToolDeps): readonly Tool[] {
  return [
    createTerminal(deps),
    createReadFile(deps),
    createWriteFile(deps),
    createPatch(deps),
    createSearchFiles(deps),
  ];
}
