import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Wall } from "#core/ports/wall";
import { runProcess } from "#sandbox/process/run";
import { findWallSupport } from "#sandbox/wall/backend";
import { createWall } from "#sandbox/wall/wall";
import { median, type Case, type Measurement } from "../measure.ts";

const ARGV = ["/bin/sh", "-c", ":"] as const;
const ROUNDS = 150;
const QUICK_ROUNDS = 40;

/** The cost of the sandbox around a command that does nothing, compared with a bare spawn of the same command. */
export const commandSandboxCase: Case = {
  name: "command-sandbox",
  run: async ({ isQuick }) => {
    const user = realpathSync(mkdtempSync(join(tmpdir(), "hermes-bench-")));
    try {
      const env = { ...process.env };
      const { backend, reason } = await findWallSupport(env);
      if (backend === null) {
        process.stderr.write(`command-sandbox: skipped, because ${reason}\n`);
        return [];
      }
      return await measure(user, env, isQuick ? QUICK_ROUNDS : ROUNDS);
    } finally {
      rmSync(user, { recursive: true, force: true });
    }
  },
};

async function measure(user: string, env: NodeJS.ProcessEnv, rounds: number): Promise<readonly Measurement[]> {
  const home = makeHome(user);
  const wall = (profile: "guard" | "off") => createWall({ profile, home, workspace: user, userHome: user, env });
  const place = { cwd: user, env };
  const guard = wall("guard");
  const off = wall("off");
  const contestants = [() => run(guard, place), () => run(off, place), () => bareSpawn(place)];
  const samples = contestants.map((): number[] => []);
  for (let round = -3; round < rounds; round++) {
    for (const index of contestants.keys()) {
      const turn = (index + round + 3) % contestants.length;
      const started = performance.now();
      await contestants[turn]?.();
      if (round >= 0) samples[turn]?.push(performance.now() - started);
    }
  }
  const [guarded = Number.NaN, unguarded = Number.NaN, bare = Number.NaN] = samples.map(median);
  const compared = { unit: "ms", peer: "bare spawn", theirs: bare } as const;
  return [
    { name: "command-sandbox / sh -c :, guard", ours: guarded, ...compared },
    { name: "command-sandbox / sh -c :, guard, time", unit: "ms", ours: guarded, peer: null, theirs: null },
    { name: "command-sandbox / sh -c :, off", ours: unguarded, ...compared },
  ];
}

/** A home with what one usually holds, because the sandbox looks through it before each command. */
function makeHome(user: string): string {
  const home = join(user, ".hermes");
  for (const folder of ["logs", "run", ...[1, 2, 3].flatMap((each) => [`hooks/${each}`, `plugins/${each}`])]) {
    mkdirSync(join(home, folder), { recursive: true });
  }
  for (const name of ["config.yaml", "state.db", "state.db-wal", "state.db-shm", "BOOT.md", "hooks/1/handler.ts"]) {
    writeFileSync(join(home, name), "");
  }
  return home;
}

interface Place {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** As the `terminal` tool runs a command; it asks whether the sandbox works before each. */
async function run(wall: Wall, { cwd, env }: Place): Promise<void> {
  await wall.stands();
  const limits = { timeoutMs: 60_000, maxOutputBytes: 100_000, overflow: "truncate", leftovers: "kill" } as const;
  const { exit_code, stderr } = await runProcess({ argv: ARGV, cwd, env, wall, ...limits });
  if (exit_code !== 0) throw new Error(`the command failed: ${stderr}`);
}

function bareSpawn({ cwd, env }: Place): Promise<unknown> {
  const [program, ...words] = ARGV;
  const child = spawn(program, words, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.resume();
  child.stderr.resume();
  return new Promise((resolve) => void child.once("close", resolve));
}
