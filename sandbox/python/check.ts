/** Asks the user's Python about code, without running it. */
import { fileURLToPath } from "node:url";
import type { HookCode } from "#core/ports/tier";
import { filterPythonFiles, HANDLER_FILE } from "./sources.ts";
import { workingFolder } from "#sandbox/process/companion";
import { runProcess, type ProcessResult } from "#sandbox/process/run";
import { findPython, type PythonPlace } from "./interpreter.ts";

const CHECK = fileURLToPath(new URL("./check.py", import.meta.url));
const CHECK_MS = 10_000;
const MOST_OUTPUT_BYTES = 64 * 1024;
/** The files of hooks and plugins, also where they are links, by what they define. */
const ENTRIES = { handle: HANDLER_FILE, register: "__init__.py" } as const;
const OLDEST = [3, 9] as const;
const CURE = "Install Python 3.9 or newer, or name one with python: in config.yaml";

/** Versions by interpreter; asking for one takes as long as starting it. */
const versions = new Map<string, Promise<string | null>>();

/** Why there is no Python to run anything with, as a clause; null when there is one. Never rejects. */
export async function findPythonProblem(place: PythonPlace): Promise<string | null> {
  const found = findPython(place);
  if ("problem" in found) return `there is no usable Python: ${found.problem}. ${CURE}`;
  const { path } = found;
  const known = versions.get(path) ?? findVersionProblem(path, place.env);
  versions.set(path, known);
  const problem = await known;
  // It may be installed meanwhile.
  if (problem !== null) versions.delete(path);
  return problem === null ? null : `there is no usable Python: ${problem}. ${CURE}`;
}

/** The first problem of the Python code of a hook or plugin, as a clause; null when there is none, or no Python to tell. Never rejects. */
export async function findPythonCodeProblem(
  { handler, folder, sources }: HookCode,
  place: PythonPlace,
  /** What its file must define. */
  name: keyof typeof ENTRIES = "handle",
): Promise<string | null> {
  const found = findPython(place);
  // Why there is none is said elsewhere.
  if ("problem" in found) return null;
  const files = filterPythonFiles(folder, sources);
  const stdin = JSON.stringify({ folder, entry: ENTRIES[name], function: name, sources: files });
  const result = await run(found.path, [CHECK], { env: place.env, stdin });
  const line = result.stdout.trim().split("\n").at(-1) ?? "";
  if (result.ended === "exited" && result.exit_code === 0 && line !== "") return JSON.parse(line) as string | null;
  return `${handler} cannot be checked: ${found.path}: ${describe(result)}`;
}

async function findVersionProblem(path: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  const result = await run(path, ["-E", "-S", "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"], { env });
  const version = /^(\d+)\.(\d+)\.\d+\n$/.exec(result.stdout);
  if (version === null) return `${path}: ${describe(result)}`;
  const [major, minor] = [Number(version[1]), Number(version[2])];
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return isOld ? `${path} is Python ${version[0].trim()}` : null;
}

function run(
  path: string,
  args: readonly string[],
  { env, stdin = "" }: { readonly env: NodeJS.ProcessEnv; readonly stdin?: string },
): Promise<ProcessResult> {
  return runProcess({
    argv: [path, ...args],
    cwd: workingFolder(),
    env,
    stdin,
    timeoutMs: CHECK_MS,
    maxOutputBytes: MOST_OUTPUT_BYTES,
    overflow: "kill",
    leftovers: "kill",
  });
}

function describe({ ended, start_problem, exit_code, signal, stderr }: ProcessResult): string {
  if (start_problem !== null) return start_problem;
  if (ended !== "exited") return `it did not answer within ${CHECK_MS / 1000} s`;
  const how = signal === null ? `it exited with code ${exit_code}` : `it was killed by ${signal}`;
  const said = stderr.trim().split("\n").at(-1) ?? "";
  return said === "" ? how : `${how}: ${said.replace(/\.$/, "")}`;
}
