/** Finds problems of the configured sandbox. */
import type { HomePaths } from "#core/home/paths";
import type { WallProfile } from "#core/ports/wall";
import type { ShellEntry } from "#sandbox/shell/entries";
import { createWall } from "#sandbox/wall/wall";
import { userHome } from "#core/home/paths";
import type { Findings } from "./examine-entry.ts";

interface SandboxedHome {
  readonly paths: HomePaths;
  readonly env: NodeJS.ProcessEnv;
  readonly profiles: { readonly tools?: WallProfile | undefined; readonly hooks?: WallProfile | undefined };
  readonly entries: readonly ShellEntry[];
}

/** An unusable profile is a problem if it was configured, and a note if `auto` continues without it. */
export async function examineSandbox({ paths, env, profiles, entries }: SandboxedHome): Promise<Findings> {
  const wanted = new Map<string, WallProfile>();
  wanted.set("sandbox.tools", profiles.tools ?? "auto");
  if (profiles.hooks !== undefined) wanted.set("sandbox.hooks", profiles.hooks);
  for (const { event, index, sandbox, enabled } of entries) {
    if (sandbox !== null && enabled) wanted.set(`hooks.${event}[${index}].sandbox`, sandbox);
  }
  const problems: string[] = [];
  const notes: string[] = [];
  for (const [key, profile] of wanted) {
    const options = { profile, home: paths.home, workspace: process.cwd(), userHome: userHome(env), env };
    const wall = createWall({ ...options, note: (sentence) => notes.push(`${key}: ${sentence}`) });
    const enclosed = await wall.enclose({ argv: ["/bin/sh", "-c", ":"], cwd: process.cwd() });
    if (enclosed !== null && "problem" in enclosed) problems.push(`${key}: ${enclosed.problem}.`);
  }
  return { problems, notes };
}
