import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { grantExplicitTest } from "#allowlist/decide";
import { HookDispatcher } from "#core/dispatch";
import { parseHookEntries } from "#sandbox/shell/entries";
import { createShellHook, type ShellHook } from "#sandbox/shell/hook";
import { hasProgram, median, type Case, type Measurement } from "../measure.ts";
import { CALL } from "../payloads.ts";

/** Scripts that answer every line of their input, and so run under both kinds of entry. */
const SCRIPTS = {
  node: {
    needs: process.execPath,
    text: `#!${process.execPath}
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  JSON.parse(line);
  process.stdout.write("{}\\n");
});
`,
  },
  python: {
    needs: "python3",
    text: `#!/usr/bin/env python3
import json, sys
for line in sys.stdin:
    json.loads(line)
    print("{}", flush=True)
`,
  },
  "bash + jq": {
    needs: "jq",
    text: `#!/usr/bin/env bash
exec jq --unbuffered -c 'if .tool_input.command | test("rm -rf /") then {decision: "block"} else {} end'
`,
  },
} as const;

const ROUNDS = 15;
const QUICK_ROUNDS = 7;
const EVENTS_A_ROUND = 100;

interface Hooked {
  readonly dispatcher: HookDispatcher;
  readonly hook: ShellHook;
}

function hookFor(script: string, folder: string, coprocess: boolean): Hooked {
  const dispatcher = new HookDispatcher();
  dispatcher.sinks.add(({ outcome, detail }) => {
    if (outcome !== "pass") throw new Error(`a hook failed: ${detail}`);
  });
  const [entry] = parseHookEntries({ pre_tool_call: [{ command: script, coprocess }] }).entries;
  const shellContext = { cwd: folder, home: folder, env: { ...process.env } };
  const hook = createShellHook(entry!, { decide: grantExplicitTest, shellContext, findScript: () => script });
  dispatcher.register(hook);
  return { dispatcher, hook };
}

/**
 * The median of an event at a running coprocess, in the round that was disturbed least, and of a run of the same script
 * as an ordinary hook.
 */
async function measure(name: keyof typeof SCRIPTS, folder: string, rounds: number): Promise<Measurement> {
  const script = join(folder, name.replaceAll(/\W+/g, "-"));
  writeFileSync(script, SCRIPTS[name].text, { mode: 0o755 });
  const lasting = hookFor(script, folder, true);
  const spawned = hookFor(script, folder, false);
  const [events, runs]: [number[], number[]] = [[], []];
  const time = async ({ dispatcher }: Hooked) => {
    const started = performance.now();
    await dispatcher.invoke_hook("pre_tool_call", CALL);
    return performance.now() - started;
  };
  for (let round = -1; round < rounds; round++) {
    const run = await time(spawned);
    if (round >= 0) runs.push(run);
    const took: number[] = [];
    for (let event = 0; event < EVENTS_A_ROUND; event++) took.push(await time(lasting));
    if (round >= 0) events.push(median(took));
  }
  await lasting.hook.close();
  const theirs = median(runs);
  return {
    name: `coprocess-hook / ${name}, p50`,
    unit: "ms",
    ours: Math.min(...events),
    peer: "its own spawn",
    theirs,
  };
}

export const coprocessHookCase: Case = {
  name: "coprocess-hook",
  run: async ({ isQuick }) => {
    const rounds = isQuick ? QUICK_ROUNDS : ROUNDS;
    const folder = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    try {
      const measured: Measurement[] = [];
      for (const [name, { needs }] of Object.entries(SCRIPTS)) {
        if (await hasProgram(needs)) measured.push(await measure(name as keyof typeof SCRIPTS, folder, rounds));
        else process.stderr.write(`coprocess-hook: ${needs} is not installed, what needs it is skipped\n`);
      }
      return measured.flatMap((one) => [one, { ...one, name: `${one.name}, time`, peer: null, theirs: null }]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
