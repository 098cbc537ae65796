/**
 * Kills the children of a host that cannot do it itself any more, because it was killed (`kill -9`, out of memory).
 * One `sh` a host, started before its first child, sleeps on a pipe that ends with the host, and then kills whoever
 * carries the marker of a run that had not ended. Which runs those are stands in a nameless file that both hold
 * open, so that a run costs two small writes and wakes nobody. Linux only: elsewhere nobody can see the markers.
 */
import { spawn } from "node:child_process";
import { closeSync, constants, existsSync, openSync, rmSync, writeSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RUN_MARKER } from "./descendants.ts";

/** An id of 32 digits and the end of its line. */
const RECORD_BYTES = 33;
const BLANK = `${" ".repeat(RECORD_BYTES - 1)}\n`;

/**
 * Reads until the host is gone, then the ids, then looks for the marked processes until there are none left, for two
 * seconds at most. Before each kill the marker is looked at once more between two looks at the start time, so that
 * no stranger who got the pid is hit. A group of a marked process is one that the run has made: its members without
 * an environment go with it. `grep` of busybox stops at a NUL: there `tr` has to help.
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
  /** Records that are blank again. */
  readonly free: number[];
  records: number;
}

let ledger: Ledger | undefined;
let watching = false;
/** False where there is nothing to watch with: the host's own end still ends its children, but not a kill -9. */
let possible = process.platform === "linux";

/**
 * Has the run's processes killed should this process die before the undo, which this gives, is called. To be called
 * before the run has any.
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
    // A session of its own, so that Ctrl+C does not reach it, and no marker, so that no hermes around this one does.
    const child = spawn("/bin/sh", ["-c", SCRIPT, "hermes-watchdog"], {
      cwd: "/",
      // The system's programs first: an agent may have put others into a folder of PATH.
      env: { PATH: `/usr/bin:/bin:${process.env["PATH"] ?? ""}`, LC_ALL: "C" },
      detached: true,
      stdio: ["pipe", "ignore", "ignore", records],
    });
    watching = true;
    child.once("error", giveUp);
    // Somebody may kill it; the next child starts another.
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

/** No shell, no descriptors or no processes left: children are then guarded by the host alone. */
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
