/**
 * Whether a request to reload comes from a person. Everything that writes into `run/` can make the file of a request,
 * so the asker names itself in it and holds it open, and its ancestors must not be a tool of the agent.
 */
import { closeSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { agentHomesOf } from "#core/agent-mark";

const LONGEST_PID = 10;

/** Makes the file of a request with mode 0600 and gives its open descriptor. Throws what the file system throws. */
export function writeHeldRequest(file: string): number {
  const temporary = `${file}.${process.pid}.tmp`;
  const held = openSync(temporary, "wx", 0o600);
  try {
    writeSync(held, String(process.pid));
    renameSync(temporary, file);
  } catch (error) {
    closeSync(held);
    rmSync(temporary, { force: true });
    throw error;
  }
  return held;
}

/**
 * True when the process that a request names holds it open and no agent started that process. Only Linux shows this;
 * elsewhere it is true for every request, and only the sandbox keeps the agent out of `run/`.
 */
export function isFromPerson(request: string): boolean {
  if (process.platform !== "linux") return true;
  try {
    const { dev, ino, size } = statSync(request);
    const pid = Number(size <= LONGEST_PID ? readFileSync(request, "utf8") : Number.NaN);
    return Number.isInteger(pid) && holds(pid, { dev, ino }) && agentHomesOf(pid).length === 0;
  } catch {
    // The request is gone, or its process is, or belongs to another user.
    return false;
  }
}

/** Throws what reading the process's descriptors throws. */
function holds(pid: number, file: { readonly dev: number; readonly ino: number }): boolean {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).some((descriptor) => {
    const held = statSync(`${folder}/${descriptor}`, { throwIfNoEntry: false });
    return held?.dev === file.dev && held.ino === file.ino;
  });
}
