/** Finds the user's Python. Nothing is started to find it. */
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { expandHome, userHome } from "#core/home/paths";

export interface PythonPlace {
  /** `python:` of config.yaml. */
  readonly configured: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

export type FoundPython = { readonly path: string } | { readonly problem: string };

/**
 * The interpreter that `python:` names, else `$HERMES_PYTHON`, else that of an active virtual environment, else
 * `python3` of PATH. One that is named and unusable is a problem: another one may lack the packages of the hooks.
 */
export function findPython({ configured, env }: PythonPlace): FoundPython {
  const named = [
    ["python: in config.yaml", configured],
    ["$HERMES_PYTHON", env["HERMES_PYTHON"]],
  ] as const;
  for (const [from, word] of named) {
    if (word === undefined || word === "") continue;
    const path = locate(expandHome(word, userHome(env)), env);
    return path === undefined ? { problem: `${from} names ${word}, which is not an executable file` } : { path };
  }
  const environment = env["VIRTUAL_ENV"];
  const candidates = environment ? ["python3", "python"].map((name) => join(environment, "bin", name)) : [];
  const path = candidates.find(isExecutable) ?? locate("python3", env);
  return path === undefined ? { problem: "there is no python3 on PATH" } : { path };
}

function locate(word: string, env: NodeJS.ProcessEnv): string | undefined {
  if (word.includes("/")) {
    const path = resolve(word);
    return isExecutable(path) ? path : undefined;
  }
  const folders = (env["PATH"] ?? "/usr/bin:/bin").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(resolve(folder), word)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // It is missing, or this user may not run it.
    return false;
  }
}
