import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { measureIdle } from "../idle-program.ts";
import { median, type Case } from "../measure.ts";
import { startPlatformServers } from "../platform-servers.ts";

const BIN = resolve(import.meta.dirname, "../../cli/bin.js");
const ROUNDS = 3;
const QUICK_ROUNDS = 1;
/** A first start fills the compile cache, so that the measured start strips no TypeScript. */
const WARM_UP = 1;
/** Only some 9 s after its last work does V8 give back what the start has used. */
const IDLE_MS = 12_000;
/** How long all platforms may take to start. */
const START_MS = 60_000;

/** Resident megabytes of a gateway with these platforms, waiting for its first message. */
async function idleGateway(
  sections: Readonly<Record<string, object>>,
  home: string,
  isWarmUp: boolean,
): Promise<number> {
  // JSON is YAML.
  writeFileSync(join(home, "config.yaml"), JSON.stringify({ gateway: { platforms: sections } }), { mode: 0o600 });
  const child = spawn(process.execPath, [BIN, "gateway"], {
    env: { ...process.env, HERMES_HOME: home },
    stdio: ["ignore", "pipe", "ignore"],
  });
  const late = setTimeout(() => child.kill("SIGKILL"), START_MS);
  const waiting = new Set(Object.keys(sections));
  const isReady = (text: string) => {
    for (const name of waiting) if (text.includes(name)) waiting.delete(name);
    if (waiting.size === 0) clearTimeout(late);
    return waiting.size === 0;
  };
  try {
    return await measureIdle(child, isReady, isWarmUp ? 0 : IDLE_MS);
  } catch (cause) {
    if (waiting.size === 0) throw cause;
    throw new Error(`the gateway did not start ${[...waiting].join(", ")}`, { cause });
  } finally {
    clearTimeout(late);
  }
}

/** Linux only: elsewhere there is no /proc, and the case measures nothing. */
export const platformsCase: Case = {
  name: "platforms",
  run: async ({ isQuick }) => {
    if (process.platform !== "linux") return [];
    const folder = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    const homes = ["one", "all"].map((name) => join(folder, name)) as [string, string];
    for (const home of homes) mkdirSync(home);
    await using servers = await startPlatformServers();
    const apiServer = { api_server: { enabled: true, port: 0 } };
    const differences: number[] = [];
    try {
      for (let round = 0; round < (isQuick ? QUICK_ROUNDS : ROUNDS) + WARM_UP; round++) {
        const isWarmUp = round < WARM_UP;
        const [one, all] = await Promise.all([
          idleGateway(apiServer, homes[0], isWarmUp),
          idleGateway({ ...apiServer, ...servers.sections }, homes[1], isWarmUp),
        ]);
        if (!isWarmUp) differences.push(all - one);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
    const ours = median(differences);
    const name = "platforms / idle gateway, all platforms above api_server";
    return [{ name, unit: "MB", ours, peer: null, theirs: null }];
  },
};
