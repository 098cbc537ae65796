/** Runs a program on a real pseudo-terminal, by way of python3's `pty` (there is none in Node). */
import { spawn, spawnSync } from "node:child_process";

const PROGRAM = `
import os, pty, select, sys, json, time
steps = json.loads(sys.argv[1]); argv = sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(argv[0], argv)
seen = b""; at = 0; end = time.time() + 30
while time.time() < end:
    while steps and steps[0][0].encode() in seen[at:]:
        at += seen[at:].index(steps[0][0].encode()) + len(steps[0][0].encode())
        os.write(fd, steps.pop(0)[1].encode())
    ready, _, _ = select.select([fd], [], [], 0.1)
    if not ready: continue
    try: data = os.read(fd, 65536)
    except OSError: break
    if not data: break
    seen += data
else:
    os.kill(pid, 9)
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(json.dumps({"output": seen.decode("utf-8", "replace"), "code": os.waitstatus_to_exitcode(status), "left": steps}).encode())
`;

export interface TerminalRun {
  /** All that the program wrote to the terminal. */
  readonly output: string;
  /** The exit code, negative for a signal. */
  readonly code: number;
  /** The steps that were never reached. */
  readonly left: readonly unknown[];
}

/** Why there is no terminal here, for a test's `skip`; false when there is one. */
export function noTerminal(): string | false {
  return spawnSync("python3", ["-c", "import pty"]).status === 0 ? false : "python3 with its pty module is not here";
}

/** Runs `argv`; each step waits for its first text to appear and then types its second. */
export function runOnTerminal(
  argv: readonly string[],
  steps: readonly (readonly [seen: string, typed: string])[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<TerminalRun> {
  const env = { ...process.env, TERM: "xterm", ...options.env };
  const child = spawn("python3", ["-c", PROGRAM, JSON.stringify(steps), ...argv], { env, cwd: options.cwd });
  let output = "";
  let problems = "";
  child.stdout.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr.on("data", (data: Buffer) => (problems += data.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => {
      try {
        resolve(JSON.parse(output) as TerminalRun);
      } catch {
        reject(new Error(`the terminal failed: ${problems}`));
      }
    });
  });
}
