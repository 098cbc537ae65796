/**
 * Kills the children of a host that was itself killed (`kill -9`, out of memory). Each host starts one `sh` before its
 * first child. It sleeps on a pipe that closes when the host dies, then kills every process that is marked with an
 * unfinished run. The unfinished runs are listed in an unlinked file that both hold open, so a run costs two small
 * writes and wakes nothing. Linux only: other systems do not show the markers.
 */
import { spawn } from "node:child_process";
import { closeSync, constants, existsSync, openSync, rmSync, writeSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RUN_MARKER } from "./descendants.ts";

/** An id of 32 digits and a newline. */
const RECORD_BYTES = 33;
const BLANK = `${" ".repeat(RECORD_BYTES - 1)}\n`;

/**
 * Reads until the host is gone, then reads the ids, then kills marked processes until none is left, for at most two
 * seconds. Before each kill it checks the marker again between two reads of the start time, so that it does not kill
 * another process with a reused pid. The group of a marked process was created by the run, so group members without
 * an environment are killed, too. The `grep` of busybox stops at a NUL, so `tr` is used there.
 */
const SCRIPT = `
while read -r _; do :; done
ids=
while read -r id; do
  case $id in '' | *[!0-9a-f]*) ;; *) ids="$ids\${ids:+|}$id" ;; esac
done <&3
[ -n "$ids" ] || exit 0
marker="${RUN_MARKER}=[0-9a-f,]*($ids)"
marked() { tr '\\0' '\\n' <"$1" | grep -qE "^$marker"; }
candidates() {
  if printf 'a\\0b' | grep -aq b; then grep -alE "$marker" /proc/[0-9]*/environ
  else for file in /proc/[0-9]*/environ; do marked "$file" && echo "$file"; done; fi
}
look() {
  started= group=
  read -r line <"/proc/$1/stat" || return 0
  set -- \${line##*) }
  group=$3 started=\${20}
}
sweep() {
  left=1
  for file in $(candidates); do
    pid=\${file#/proc/} pid=\${pid%/environ}
    [ -O "/proc/$pid" ] || continue
    look "$pid"; before=$started
    marked "$file" || continue
    look "$pid"; [ "$started" = "$before" ] || continue
    case $group in '' | 0 | 1 | *[!0-9]*) ;; *) kill -9 "-$group" ;; esac
    kill -9 "$pid"
    left=0
  done
  return $left
}
for turn in 1 2 3 4 5 6 7 8 9 10; do sweep || exit 0; sleep 0.2; done
`;

interface Ledger {
  readonly file: number;
  /** Records that are free for reuse. */
  readonly free: number[];
  records: number;
}

let ledger: Ledger | undefined;
let watching = false;
/** False where no watchdog can run: then a normal exit of the host still kills its children, but kill -9 does not. */
let possible = process.platform === "linux";

/**
 * Makes sure that the run's processes are killed if this process dies before the returned undo is called. Must be
 * called before the run has any processes.
 */
export function guardRun(id: string): () => void {
  if (!possible) return () => undefined;
  try {
    const { file, free } = (ledger ??= openLedger());
    const record = free.pop() ?? ledger.records++;
    writeSync(file, `${id}\n`, record * RECORD_BYTES);
    if (!watching) startWatchdog(file);
    return () => {
      writeSync(file, BLANK, record * RECORD_BYTES);
      free.push(record);
    };
  } catch {
    giveUp();
    return () => undefined;
  }
}

function startWatchdog(file: number): void {
  let records: number | undefined;
  try {
    records = openSync(`/proc/self/fd/${file}`, constants.O_RDONLY);
    // Its own session keeps Ctrl+C from reaching it; without a marker, no outer hermes kills it.
    const child = spawn("/bin/sh", ["-c", SCRIPT, "hermes-watchdog"], {
      cwd: "/",
      // The system's programs first: an agent may have put others into a folder of PATH.
      env: { PATH: `/usr/bin:/bin:${process.env["PATH"] ?? ""}`, LC_ALL: "C" },
      detached: true,
      stdio: ["pipe", "ignore", "ignore", records],
    });
    watching = true;
    child.once("error", giveUp);
    // It may get killed; the next child starts another.
    child.once("exit", () => {
      watching = false;
    });
    child.stdin?.on("error", giveUp);
    child.unref();
    (child.stdin as Socket).unref();
  } catch {
    giveUp();
  } finally {
    if (records !== undefined) closeSync(records);
  }
}

/** No shell, no file descriptors or no processes left: then only the host itself kills its children. */
function giveUp(): void {
  possible = false;
}

function openLedger(): Ledger {
  const folder = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const name = join(folder, `hermes-runs-${process.pid}-${process.hrtime.bigint()}`);
  const file = openSync(name, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600);
  rmSync(name);
  return { file, free: [], records: 0 };
}
