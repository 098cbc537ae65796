/** One gateway a home: two would answer every message twice. `run/gateway.pid` says whose turn it is. */
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
 * Takes the place of the home's gateway; the returned function gives it back. Throws HERMES_GATEWAY_RUNNING while
 * another one runs; what a killed one left behind does not count. In a home that takes no writes the place cannot be
 * taken: `warn` is told so.
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
      // A disk that takes no writes any more: the next gateway sees that this one is gone.
    }
  };
}

function claim(file: string): void {
  const own = `${file}.${process.pid}`;
  const mine: Holder = { pid: process.pid, process_start: processStartOf(process.pid) };
  writePrivateFile(own, JSON.stringify(mine));
  try {
    // A link is made whole or not at all, and never over a file that is there.
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
    // Gone meanwhile, or no word of a gateway: nobody holds the place.
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
