/**
 * Tests of plugins: `import { createTestHost } from "hermes-hooks/testing"`. It runs the real agent and the real hooks
 * in a temporary home, with a model that follows a script and tools that only record their calls.
 */
import type { TestHost, TestHostOptions } from "./types.ts";

export type { ScriptedAnswer, ScriptedCall } from "#agent/models/script";
export type { Frame } from "#core/frames";
export type { CallQuestion } from "#core/ports/question";
export type { TestAnswer, TestHost, TestHostOptions, TestPlugin, TestTurn } from "./types.ts";

/**
 * Loads the plugins. Rejects when one of them cannot be loaded.
 *
 *     await using host = await createTestHost({ plugins: [plugin] });
 *     const answer = await host.fire("pre_tool_call", { tool_name: "terminal", args: { command: "rm -rf /" } });
 *     assert.equal(answer?.action, "block");
 */
export async function createTestHost(options: TestHostOptions): Promise<TestHost> {
  const { openTestHost } = await import("./open-test-host.ts");
  return openTestHost(options);
}
