import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tool } from "#core/ports/agent";
import { openAgent } from "../growth/agent.ts";
import { BUDGETS } from "../budgets.ts";
import { median, quietest, type Case } from "../measure.ts";

const WARM_UP = 200;
/** The fastest round counts: on a shared machine, others disturb whole rounds, and short ones less often. */
const ROUNDS = 30;
const TURNS = 20;
const NAME = "turn / one tool call, beside the tool";

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
  run: async ({ isQuick }) => {
    const home = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    try {
      using agent = openAgent(home, [NOTHING]);
      const session = agent.sessions.create({ platform: "cli", source: "chat" });
      const turns = async (count: number) => {
        const times: number[] = [];
        for (let turn = 0; turn < count; turn++) {
          const started = performance.now();
          await agent.turn(session, "@nothing {}");
          times.push(performance.now() - started);
          // The case "growth" has what a history costs.
          agent.sessions.truncate(session.id, 0);
        }
        return median(times);
      };
      await turns(WARM_UP);
      const ours = await quietest(() => turns(TURNS), isQuick ? BUDGETS[NAME]!.target : 0, ROUNDS);
      return [{ name: NAME, unit: "ms", ours, peer: null, theirs: null }];
    } finally {
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};
