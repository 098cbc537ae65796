/** A project folder, a home with guard files, and the built-in tools over them: for the tests of the tools. */
import { mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { homePaths } from "#core/home/paths";
import { createGuardedFiles } from "#agent/guard/files";
import { createBuiltinTools } from "#agent/tools/builtin";
import type { ToolDeps } from "#agent/tools/resolved-path";

export interface Toolbox {
  readonly user: string;
  readonly home: string;
  readonly project: string;
  readonly deps: ToolDeps;
  /** Calls a tool in the project; rejects with what it throws. */
  call(name: string, args: Readonly<Record<string, unknown>>, signal?: AbortSignal): Promise<Record<string, unknown>>;
  /** Writes a file of the project, folders included; gives its path. */
  write(path: string, content: string | Uint8Array): string;
}

export function makeToolbox(env: NodeJS.ProcessEnv = {}, envPassthrough: readonly string[] = []): Toolbox {
  const user = realpathSync(mkdtempSync(join(tmpdir(), "hermes-tools-")));
  const home = join(user, ".hermes");
  const project = join(user, "project");
  mkdirSync(project);
  mkdirSync(home);
  writeFileSync(join(home, "config.yaml"), "secret-of-config: 1\n");
  const full = { PATH: process.env["PATH"], HOME: user, HERMES_HOME: home, ...env };
  const guard = createGuardedFiles([homePaths(home, full)], { home: user, env: full });
  const deps = { guard, home, env: full, envPassthrough };
  const tools = createBuiltinTools(deps);
  return {
    user,
    home,
    project,
    deps,
    async call(name, args, signal = new AbortController().signal) {
      const tool = tools.find((candidate) => candidate.name === name);
      if (tool === undefined) throw new Error(`no tool ${name}`);
      const circumstances = { tool_call_id: "call", session_id: "session", cwd: project, signal, depth: 0 };
      return (await tool.execute(args, circumstances)) as Record<string, unknown>;
    },
    write(path, content) {
      const file = join(project, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      return file;
    },
  };
}
