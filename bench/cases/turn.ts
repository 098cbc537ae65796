import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tool } from "#core/ports/agent";
import { openAgent } from "../growth/agent.ts";
import { median, type Case } from "../measure.ts";

const WARM_UP = 200;
const TURNS = 300;

/** A tool that does nothing, so that all the rest is left. */
const NOTHING: Tool = {
  name: "nothing",
  description: "Does nothing",
  parameters: { type: "object", properties: {} },
  execute: async () => ({ done: true }),
};

/** A turn of the offline model with one call, in a process that runs already, with a database on the disk. */
export const turnCase: Case = {
  name: "turn",
  run: async () => {
    const home = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    try {
      using agent = openAgent(home, [NOTHING]);
      const session = agent.sessions.create({ platform: "cli", source: "chat" });
      const times: number[] = [];
      for (let turn = -WARM_UP; turn < TURNS; turn++) {
        const started = performance.now();
        await agent.turn(session, "@nothing {}");
        const took = performance.now() - started;
        // The case "growth" has what a history costs.
        agent.sessions.truncate(session.id, 0);
        if (turn >= 0) times.push(took);
      }
      const row = { unit: "ms", peer: null, theirs: null } as const;
      return [{ name: "turn / one tool call, beside the tool", ours: median(times), ...row }];
    } finally {
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};
