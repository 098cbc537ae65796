/**
 * Ensures that a home has one gateway, one service and one daemon of a name: two would answer every message twice. A
 * file in `run/` names the process.
 */
import { linkSync, readFileSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { HermesError, isHermesError, problemOf } from "#core/errors";
import { ensureFolder } from "#core/home/paths";
import { writePrivateFile } from "#core/home/private-files";
import { isAlive, processStartOf } from "#core/process-identity";

/** What a home has at most one of, and the error of a second one. */
const ROLES = {
  gateway: { what: "gateway", taken: "HERMES_GATEWAY_RUNNING" },
  serve: { what: "hermes serve", taken: "HERMES_SERVE_RUNNING" },
} as const;

type Role = keyof typeof ROLES;

export interface ClaimOptions {
  readonly role: Role;
  /** The folder `run` of the home. */
  readonly run: string;
  readonly warn: (sentence: string) => void;
}

interface Holder {
  readonly pid: number;
  readonly process_start: string | null;
}

/**
 * Gives this process the role in the home until the returned function is called. Throws HERMES_GATEWAY_RUNNING or
 * HERMES_SERVE_RUNNING while another one has it; the file of a killed one is ignored. Warns if the home cannot be written.
 */
export function claimHome({ role, run, warn }: ClaimOptions): () => void {
  const file = join(run, `${role}.pid`);
  try {
    return claimFile(file, (pid) => new HermesError(ROLES[role].taken, { pid }));
  } catch (error) {
    if (isHermesError(error)) throw error;
    warn(`${file} cannot be written, so a second ${ROLES[role].what} could start in this home: ${problemOf(error)}`);
    return () => undefined;
  }
}

/** The process that has the role in the home; null for none. */
export function findHolder(run: string, role: Role): number | null {
  const holder = read(join(run, `${role}.pid`));
  return holder !== null && isAlive(holder.pid, holder.process_start) ? holder.pid : null;
}

/** Gives this process the name of a daemon until the returned function is called. Throws HERMES_DAEMON_RUNNING and HERMES_DAEMON_START. */
export function claimDaemon(file: string, name: string): () => void {
  try {
    return claimFile(file, (pid) => new HermesError("HERMES_DAEMON_RUNNING", { name, pid }));
  } catch (error) {
    if (isHermesError(error)) throw error;
    const problem = `${file} cannot be written: ${problemOf(error)}`;
    throw new HermesError("HERMES_DAEMON_START", { name, problem }, { cause: error });
  }
}

/** Throws what `taken` makes when a living process has the file, and what the file system throws. */
function claimFile(file: string, taken: (pid: number) => HermesError): () => void {
  ensureFolder(dirname(file));
  claim(file, taken);
  return () => {
    if (read(file)?.pid !== process.pid) return;
    try {
      remove(file);
    } catch {
      // The disk has become read-only. The next one sees that this process has ended.
    }
  };
}

function claim(file: string, taken: (pid: number) => HermesError): void {
  const own = `${file}.${process.pid}`;
  const mine: Holder = { pid: process.pid, process_start: processStartOf(process.pid) };
  writePrivateFile(own, JSON.stringify(mine));
  try {
    // Creating a link is atomic and never replaces an existing file.
    while (!link(own, file)) {
      const holder = read(file);
      if (holder !== null && isAlive(holder.pid, holder.process_start)) {
        throw taken(holder.pid);
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
    // The file was removed meanwhile or is invalid: nobody has the role.
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
