/** Makes sure that a home has a worker. */
import { spawn } from "node:child_process";
import type { HomePaths } from "#core/home/paths";
import type { WorkerStore } from "#core/ports/workers";
import { RUN_MARKER } from "#sandbox/process/descendants";
import { wakableProcesses, wake } from "../wake-sockets.ts";

export interface EnsureWorkerOptions {
  readonly paths: Pick<HomePaths, "run" | "home">;
  readonly workers: Pick<WorkerStore, "list">;
  /** The tag of the task that waits: nobody but the user starts a worker for one. */
  readonly tag?: string | undefined;
}

/** Wakes every worker of the home, and starts one when there is none that takes tasks without a tag, here or elsewhere. */
export async function ensureWorker({ paths, workers, tag }: EnsureWorkerOptions): Promise<void> {
  const found = wakableProcesses(paths.run, ["worker"]);
  await Promise.all(found.map(({ socket }) => wake(socket)));
  if (found.length > 0 || tag !== undefined || (await workers.list()).length > 0) return;
  startWorker(paths.home);
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
