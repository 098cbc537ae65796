/** `hermes sandbox run`: one command under a profile, on this terminal. */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { HermesError, problemOf } from "#core/errors";
import { loadConfig } from "#core/home/config";
import { demandFor } from "#core/home/demands";
import { userHome, type HomePaths } from "#core/home/paths";
import { WALL_PROFILES, type WallProfile } from "#core/ports/wall";
import { didYouMean } from "#core/suggest";
import { createWall } from "#sandbox/wall/wall";
import type { CliContext } from "../../context.ts";
import { createOutsideAnswers } from "../../outside/answers.ts";

export interface SandboxRun {
  readonly words: readonly string[];
  /** As given on the command line; without it the profile of the agent's tools. */
  readonly profile: string | undefined;
  readonly paths: HomePaths;
  readonly context: CliContext;
}

/** Runs the command with this program's standard streams and ends with its exit code. */
export async function runInSandbox({ words, profile: name, paths, context }: SandboxRun): Promise<void> {
  const [program, ...args] = words as [string, ...string[]];
  const profile = name === undefined ? await configuredProfile(paths, context) : readProfile(name);
  const workspace = process.cwd();
  const { env, note } = context;
  await using answers = createOutsideAnswers({
    paths,
    env,
    onProblem: (problem) => note(`hermes commands in the sandbox cannot ask for what is hidden from them: ${problem}`),
  });
  const wall = answers.serve(createWall({ profile, home: paths.home, workspace, userHome: userHome(env), env, note }));
  const enclosed = await wall.enclose({ argv: [program, ...args], cwd: workspace });
  if (enclosed !== null && "problem" in enclosed) throw new HermesError("HERMES_SANDBOX", enclosed);
  const [file, ...rest] = enclosed?.argv ?? [program, ...args];
  const child = spawn(file, rest, { stdio: "inherit" });
  // Ctrl+C reaches the command itself; hermes ends with it.
  const ignore = () => undefined;
  process.on("SIGINT", ignore);
  try {
    context.exit(await exitCodeOf(child));
  } catch (error) {
    throw new HermesError("HERMES_SANDBOX", { problem: problemOf(error) }, { cause: error });
  } finally {
    process.off("SIGINT", ignore);
  }
}

function exitCodeOf(child: ReturnType<typeof spawn>): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

async function configuredProfile(paths: HomePaths, { env }: CliContext): Promise<WallProfile> {
  const config = await loadConfig(paths, env);
  demandFor("sandbox", config);
  return config.values.sandbox?.tools ?? "auto";
}

function readProfile(name: string): WallProfile {
  const found = WALL_PROFILES.find((each) => each === name);
  if (found !== undefined) return found;
  const known = WALL_PROFILES.join(", ");
  throw new HermesError("HERMES_USAGE", {
    problem: `there is no sandbox profile "${name}"; the profiles are ${known}.${didYouMean(name, WALL_PROFILES)}`,
  });
}
