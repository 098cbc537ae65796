import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { measureIdle } from "../idle-program.ts";
import { installPackage } from "../package.ts";
import { median, residentMegabytes, type Case, type Measurement } from "../measure.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const ROUNDS = 3;
const QUICK_ROUNDS = 1;
/** A first start fills the compile cache, so that the measured start strips no TypeScript. */
const WARM_UP = 1;
/** Only some 9 s after its last work does V8 give back what the start has used. */
const IDLE_MS = 12_000;

/** Resident megabytes of a conversation in a terminal, waiting after its first turn. */
async function waitingChat(bin: string, home: string): Promise<number> {
  const child = spawn("script", ["-qfec", `exec ${process.execPath} ${bin} chat`, "/dev/null"], {
    env: {
      ...process.env,
      HERMES_HOME: home,
      TERM: "xterm",
      OPENAI_API_KEY: "",
      ANTHROPIC_API_KEY: "",
      OPENROUTER_API_KEY: "",
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  try {
    let seen = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (seen += text));
    const shown = async (text: string, from: number) => {
      const deadline = performance.now() + 30_000;
      while (!seen.slice(from).includes(text)) {
        if (performance.now() > deadline) throw new Error(`chat did not show ${text}:\n${seen}`);
        await new Promise((wake) => setTimeout(wake, 20));
      }
    };
    await shown("›", 0);
    const before = seen.length;
    child.stdin.write("run `echo measured`\r");
    await shown("exit_code", before);
    const answered = seen.length;
    await shown("›", before);
    // Let the turn's leftovers settle, since this measures an idle chat.
    await new Promise((wake) => setTimeout(wake, answered === 0 ? 0 : 500));
    const pid = spawnSync("pgrep", ["-P", String(child.pid)], { encoding: "utf8" }).stdout.trim();
    return residentMegabytes(Number(pid));
  } finally {
    child.stdin.end("\u0004");
    child.kill();
  }
}

/** Resident megabytes of a command with only `api_server`, waiting for its first message. */
async function idle(command: string, bin: string, home: string, isWarmUp: boolean): Promise<number> {
  writeFileSync(join(home, "config.yaml"), "gateway: { platforms: { api_server: { enabled: true, port: 0 } } }\n");
  const child = spawn(process.execPath, [bin, command], {
    env: { ...process.env, HERMES_HOME: home },
    stdio: ["ignore", "pipe", "ignore"],
  });
  return measureIdle(child, (text) => text.includes("http://"), isWarmUp ? 0 : IDLE_MS);
}

/** Measured at the same time, of both installations, each in a home of its own. */
const PROGRAMS = [
  ["chat after one turn", waitingChat],
  ["idle gateway", (bin: string, home: string, isWarmUp: boolean) => idle("gateway", bin, home, isWarmUp)],
  ["idle service", (bin: string, home: string, isWarmUp: boolean) => idle("serve", bin, home, isWarmUp)],
] as const;

/** Linux only: elsewhere there is no /proc, and the case measures nothing. */
export const memoryCase: Case = {
  name: "memory",
  run: async ({ isQuick }) => {
    if (process.platform !== "linux") return [];
    const installed = installPackage();
    const folder = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    const contestants = [
      { name: "repository", bin: join(ROOT, "cli/bin.js") },
      { name: "package", bin: installed },
    ].flatMap(({ name, bin }) =>
      PROGRAMS.map(([what, measure], index) => {
        const home = join(folder, `${name}-${index}`);
        mkdirSync(home);
        const sample = (isWarmUp: boolean) => measure(bin, home, isWarmUp);
        return { name: `memory / ${what}, ${name}`, sample, samples: [] as number[] };
      }),
    );
    try {
      for (let round = 0; round < (isQuick ? QUICK_ROUNDS : ROUNDS) + WARM_UP; round++) {
        const isWarmUp = round < WARM_UP;
        const resident = await Promise.all(contestants.map(({ sample }) => sample(isWarmUp)));
        if (!isWarmUp) resident.forEach((megabytes, index) => contestants[index]!.samples.push(megabytes));
      }
      return contestants.map(({ name, samples }): Measurement => {
        return { name, unit: "MB", ours: median(samples), peer: null, theirs: null };
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
