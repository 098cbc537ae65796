/** Makes sure that a home has a worker. */
import { spawn } from "node:child_process";
import type { HomePaths } from "#core/home/paths";
import { RUN_MARKER } from "#sandbox/process/descendants";
import { wakableProcesses, wake } from "../wake-sockets.ts";

/** Wakes every worker of the home, and starts one when there is none. */
export async function ensureWorker({ run, home }: Pick<HomePaths, "run" | "home">): Promise<void> {
  const workers = wakableProcesses(run, ["worker"]);
  if (workers.length === 0) return startWorker(home);
  await Promise.all(workers.map(({ socket }) => wake(socket)));
}

function startWorker(home: string): void {
  const bin = process.argv[1]!;
  // A session of its own, so that it outlives the terminal; without a mark, so that it outlives the command or hook
  // that submits a task.
  const { [RUN_MARKER]: _, ...env } = process.env;
  const child = spawn(process.execPath, [bin, "--home", home, "worker", "--until-idle"], {
    detached: true,
    env,
    stdio: "ignore",
    cwd: home,
  });
  child.unref();
}
