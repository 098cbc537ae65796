import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { median, type Case, type Measurement } from "../measure.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const ROUNDS = 15;
const QUICK_ROUNDS = 5;

/** A typical home: three shell hooks, two of them approved, and a plugin. */
function makeHome(): string {
  const home = mkdtempSync(join(tmpdir(), "hermes-bench-"));
  const plugin = join(home, "plugins", "audit");
  mkdirSync(plugin, { recursive: true });
  writeFileSync(join(plugin, "plugin.yaml"), "name: audit\nprovides_hooks: [post_tool_call]\n");
  writeFileSync(join(plugin, "index.ts"), "export function register() {}\n");
  const hooks = ["guard.sh", "format.sh", "context.sh"].map((name) => join(home, "agent-hooks", name));
  mkdirSync(join(home, "agent-hooks"));
  for (const hook of hooks) writeFileSync(hook, "#!/bin/sh\nprintf '{}'\n", { mode: 0o755 });
  const [guard, format, context] = hooks;
  writeFileSync(
    join(home, "config.yaml"),
    [
      "plugins: { enabled: [audit] }",
      "hooks:",
      `  pre_tool_call: [{ matcher: terminal, command: ${guard}, fail_closed: true }]`,
      `  post_tool_call: [{ matcher: write_file|patch, command: ${format} }]`,
      `  pre_llm_call: [{ command: ${context} }]`,
    ].join("\n"),
  );
  const approvals = [
    { event: "pre_tool_call", command: guard },
    { event: "post_tool_call", command: format },
  ];
  writeFileSync(join(home, "shell-hooks-allowlist.json"), JSON.stringify({ approvals }), { mode: 0o600 });
  return home;
}

function time(argv: readonly string[], home: string): number {
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, argv, {
    env: { ...process.env, HERMES_HOME: home, NODE_NO_WARNINGS: "1" },
    encoding: "utf8",
  });
  const took = performance.now() - started;
  if (status !== 0) throw new Error(`${argv.join(" ")} ended with ${status}: ${stderr}`);
  return took;
}

/** The time until `hermes chat` shows its first prompt, on a terminal that `script` makes. */
async function timeFirstPrompt(bin: string, home: string): Promise<number> {
  const started = performance.now();
  const child = spawn("script", ["-qfec", `exec ${process.execPath} ${bin} chat`, "/dev/null"], {
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      HERMES_HOME: home,
      TERM: "xterm",
      NODE_NO_WARNINGS: "1",
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  const ended = once(child, "close");
  let seen = "";
  for await (const text of child.stdout.setEncoding("utf8") as AsyncIterable<string>) {
    seen += text;
    if (seen.includes("›")) break;
  }
  const took = performance.now() - started;
  if (!seen.includes("›")) throw new Error(`chat showed no prompt:\n${seen}`);
  // The end of its input ends it at once; `script` waits two seconds for a program that it was told to end.
  child.stdin.end("\u0004");
  await ended;
  return took;
}

/** Whole processes, interleaved, after a first round that fills the compile cache. */
export const coldStartCase: Case = {
  name: "cold-start",
  run: async ({ isQuick }) => {
    const { installPackage } = await import("../package.ts");
    const installed = installPackage();
    const home = makeHome();
    const plain = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    try {
      const repository = join(ROOT, "cli/bin.js");
      const contestants: Record<string, () => number | Promise<number>> = {
        node: () => time(["-e", "0"], home),
        "hooks list, repository": () => time([repository, "hooks", "list"], home),
        "hooks list, package": () => time([installed, "hooks", "list"], home),
      };
      if (process.platform === "linux") {
        contestants["first prompt of chat, repository"] = () => timeFirstPrompt(repository, plain);
        contestants["first prompt of chat, package"] = () => timeFirstPrompt(installed, plain);
      }
      const samples = new Map<string, number[]>();
      for (let round = 0; round <= (isQuick ? QUICK_ROUNDS : ROUNDS); round++) {
        for (const [name, measure] of Object.entries(contestants)) {
          const took = await measure();
          if (round > 0) samples.set(name, [...(samples.get(name) ?? []), took]);
        }
      }
      const of = (name: string) => median(samples.get(name) ?? []);
      const names = Object.keys(contestants).filter((name) => name !== "node");
      return names.map((name): Measurement => ({
        name: `cold-start / ${name}`,
        unit: "ms",
        ours: of(name),
        peer: "node -e 0",
        theirs: of("node"),
      }));
    } finally {
      for (const folder of [home, plain]) rmSync(folder, { recursive: true, force: true });
    }
  },
};
