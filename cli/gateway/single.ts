/** Ensures one gateway per home, because two would answer every message twice. `run/gateway.pid` names its process. */
import { linkSync, readFileSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { HermesError, isHermesError, problemOf } from "#core/errors";
import { ensureFolder } from "#core/home/paths";
import { writePrivateFile } from "#core/home/private-files";
import { isAlive, processStartOf } from "#core/process-identity";

interface Holder {
  readonly pid: number;
  readonly process_start: string | null;
}

/**
 * Makes this process the home's gateway until the returned function is called. Throws HERMES_GATEWAY_RUNNING while
 * another one is running; the file of a killed one is ignored. Warns if the home cannot be written.
 */
export function claimGateway(run: string, warn: (sentence: string) => void): () => void {
  const file = join(run, "gateway.pid");
  try {
    ensureFolder(run);
    claim(file);
  } catch (error) {
    if (isHermesError(error)) throw error;
    warn(`${file} cannot be written, so a second gateway could start in this home: ${problemOf(error)}`);
    return () => undefined;
  }
  return () => {
    if (read(file)?.pid !== process.pid) return;
    try {
      remove(file);
    } catch {
      // The disk has become read-only. The next gateway sees that this process has ended.
    }
  };
}

function claim(file: string): void {
  const own = `${file}.${process.pid}`;
  const mine: Holder = { pid: process.pid, process_start: processStartOf(process.pid) };
  writePrivateFile(own, JSON.stringify(mine));
  try {
    // Creating a link is atomic and never replaces an existing file.
    while (!link(own, file)) {
      const holder = read(file);
      if (holder !== null && isAlive(holder.pid, holder.process_start)) {
        throw new HermesError("HERMES_GATEWAY_RUNNING", { pid: holder.pid });
      }
      remove(file);
    }
  } finally {
    remove(own);
  }
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function read(file: string): Holder | null {
  try {
    const holder = JSON.parse(readFileSync(file, "utf8")) as Partial<Holder> | null;
    const { pid, process_start = null } = holder ?? {};
    return typeof pid === "number" ? { pid, process_start } : null;
  } catch {
    // The file was removed meanwhile or is invalid: no gateway is running.
    return null;
  }
}

function remove(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
