/** A hook, or a tool's command, that runs while the real program gets Ctrl+C, TERM or kill -9: nothing of it is left. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { Home, ROOT, type Running } from "../helpers/hermes.ts";
import { killQuietly, lives, pidIn } from "../helpers/processes.ts";
import { until } from "../helpers/poll.ts";

const script = (name: string) => join(ROOT, "test/fixtures/scripts", name);
const LINUX = process.platform === "linux";
/** Those that stay in their group end everywhere; who leaves it is found on Linux. */
const SCRIPTS = ["forever-with-grandchild.sh", ...(LINUX ? ["leaves-its-group.sh", "forks-twice.sh"] : [])];
const CALL = `@terminal ${JSON.stringify({ command: "echo ran" })}`;

interface Hanging {
  readonly running: Running;
  /** Of the process that the script has left behind. */
  readonly pid: number;
}

async function startWithHook(t: TestContext, name: string): Promise<Hanging> {
  const home = new Home(t);
  const file = join(home.work, "pid");
  home.write("config.yaml", `hooks: { pre_tool_call: [{ command: "${script(name)} ${file}" }] }\n`);
  const running = home.start(["--accept-hooks", "chat", "-q", CALL]);
  return { running, pid: await watch(t, file) };
}

async function startWithTool(t: TestContext, name: string): Promise<Hanging> {
  const home = new Home(t);
  const file = join(home.work, "pid");
  // In the sandbox processes have numbers of their own; the test below looks at what they do.
  home.write("config.yaml", "sandbox: { tools: off }\n");
  const running = home.start(["chat", "-q", `@terminal ${JSON.stringify({ command: `${script(name)} ${file}` })}`]);
  return { running, pid: await watch(t, file) };
}

async function watch(t: TestContext, file: string): Promise<number> {
  const pid = await pidIn(file);
  t.after(() => killQuietly(pid));
  return pid;
}

for (const [what, start] of [
  ["hook", startWithHook],
  ["terminal command", startWithTool],
] as const) {
  for (const name of SCRIPTS) {
    for (const [signal, code] of [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const) {
      test(`${signal} while the ${what} ${name} runs: ${code}, and nothing is left`, async (t) => {
        const { running, pid } = await start(t, name);
        running.kill(signal);
        const ended = await running.ended;
        assert.equal(ended.code, code, ended.stderr);
        assert.doesNotMatch(ended.stdout, /ran/);
        await until(() => !lives(pid), "the process is gone");
      });
    }
    test(`kill -9 while the ${what} ${name} runs: nothing is left`, { skip: !LINUX }, async (t) => {
      const { running, pid } = await start(t, name);
      running.kill("SIGKILL");
      assert.equal((await running.ended).signal, "SIGKILL");
      await until(() => !lives(pid), "the process is gone");
    });
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
  test(
    `${signal} while a command runs in the sandbox: what left its group is gone, too`,
    { skip: !LINUX },
    async (t) => {
      const home = new Home(t);
      const ticks = join(home.work, "ticks");
      const command = `setsid sh -c 'while :; do date >> ${ticks}; sleep 0.05; done' & sleep 1000`;
      const running = home.start(["chat", "-q", `@terminal ${JSON.stringify({ command })}`]);
      await until(() => existsSync(ticks), "the process runs");
      assert.notEqual(commandLinesWith(ticks).length, 0);
      running.kill(signal);
      await running.ended;
      await until(() => commandLinesWith(ticks).length === 0, "nothing of the command runs", {
        seen: () => commandLinesWith(ticks),
      });
    },
  );
}

/** The processes with this in their command line; those in the sandbox are among them, under other pids. */
function commandLinesWith(text: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return line.includes(text) ? [line.replaceAll("\0", " ")] : [];
      } catch {
        // It has ended in the meantime.
        return [];
      }
    });
}

test("Ctrl+C on a terminal ends the hook, not the program", async (t) => {
  const home = new Home(t);
  const file = join(home.work, "pid");
  home.write(
    "config.yaml",
    `hooks: { pre_tool_call: [{ command: "${script("forever-with-grandchild.sh")} ${file}" }] }\n`,
  );
  const pty = home.terminal(["--accept-hooks", "chat"]);
  t.after(() => pty.kill());
  await pty.see("›");
  pty.type(`${CALL}\r`);
  const pid = await watch(t, file);
  pty.type("\x03");
  await until(() => !lives(pid), "the hook is gone");
  pty.type("/quit\r");
  assert.equal(await pty.exited, 0);
});
