import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { createMcpServers } from "#agent/mcp/servers";
import { NO_REPLY } from "#core/ports/hook";
import { CallQuestions } from "#agent/questions";
import { openLine, originOf } from "#agent/scope";
import { runToolCall } from "#agent/tool-call";
import type { Tool } from "#core/ports/agent";
import { openAgent, type OpenAgent } from "../growth/agent.ts";
import { BUDGETS } from "../budgets.ts";
import { race, type Case } from "../measure.ts";

/** A server that answers each call with its text. */
const SERVER = `
const send = (id, result) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", id, result }) + "\\n");
const schema = { type: "object", properties: { text: { type: "string" } }, required: ["text"] };
const answers = {
  initialize: ({ protocolVersion }) => ({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "bench", version: "1" } }),
  "tools/list": () => ({ tools: [{ name: "echo", inputSchema: schema }] }),
  "tools/call": ({ arguments: { text } }) => ({ content: [{ type: "text", text }] }),
};
require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id !== undefined) send(id, answers[method](params));
});
`;

const ARGUMENTS = { text: "x".repeat(1000) };
const SIGNAL = new AbortController().signal;
const BATCH = 50;
/** Short enough to pass between two disturbances. */
const QUICK_BATCH = 10;

/** Where the system places two processes changes a round trip a lot: the fastest pair of each kind counts. */
const PAIRS = 7;
const PEER = "the SDK alone";
const NAME = "mcp-call / 1 KB, with a guard";

/** A call through the agent's gate, with a callback that guards it, and the same call of the SDK's own client. */
export const mcpCallCase: Case = {
  name: "mcp-call",
  run: async ({ isQuick }) => {
    const folder = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    try {
      const file = join(folder, "server.cjs");
      writeFileSync(file, SERVER);
      let [ours, theirs] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
      // A quick run has seen enough as soon as the target is reached.
      const enough = isQuick ? BUDGETS[NAME]!.target : 0;
      for (let pair = 0; pair < PAIRS && !(ours / theirs <= enough); pair++) {
        const times = await racePair(folder, file, isQuick);
        ours = Math.min(ours, times.get("ours")!);
        theirs = Math.min(theirs, times.get(PEER)!);
      }
      return [{ name: NAME, unit: "ns", ours, peer: PEER, theirs }];
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};

async function racePair(folder: string, file: string, isQuick: boolean): Promise<ReadonlyMap<string, number>> {
  await using servers = startServers(folder, file);
  await servers.ready(SIGNAL);
  using agent = openAgent(folder);
  const call = agentCall(agent, servers.tools());
  const client = new Client({ name: "bench", version: "1" });
  // The SDK declares optional fields in a way that our compiler settings refuse.
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [file] }));
  const times = await race(
    {
      ours: async (batch) => {
        for (let count = 0; count < batch; count++) assertEcho(await call());
      },
      [PEER]: async (batch) => {
        for (let count = 0; count < batch; count++) {
          assertEcho(JSON.stringify(await client.callTool({ name: "echo", arguments: ARGUMENTS })));
        }
      },
    },
    { batch: isQuick ? QUICK_BATCH : BATCH, isFastest: isQuick, rounds: 3, time: 100 },
  );
  await client.close();
  return times;
}

/** A tool call as a turn of the agent runs it, with a callback that guards it. */
function agentCall({ deps, sessions }: OpenAgent, tools: readonly Tool[]): () => Promise<string> {
  deps.dispatcher.register({
    source: "plugin",
    name: "guard",
    event: "pre_tool_call",
    command: null,
    onFailure: "skip",
    deadlineSeconds: 30,
    sideBySide: false,
    background: false,
    matches: () => true,
    run: () => NO_REPLY,
  });
  const session = sessions.create({ platform: "cli", source: "chat" });
  const request = { session, platform: "cli", signal: SIGNAL, onFrame: () => undefined };
  const place = { depth: 0, origin: originOf(session), questions: new CallQuestions(), maxIterations: 1 };
  const scope = { deps, session, platform: "cli", user_id: "", line: openLine(deps, request), ...place };
  const asked = { id: "call", tool: "mcp_bench_echo", args: ARGUMENTS, problem: null };
  return () => runToolCall(scope, tools, asked);
}

function startServers(folder: string, file: string) {
  const quiet = () => undefined;
  const servers = createMcpServers({
    cwd: folder,
    env: { ...process.env },
    home: folder,
    version: "0.0.0",
    log: { debug: quiet, info: quiet, warn: quiet },
    redact: String,
    warn: (sentence) => {
      throw new Error(sentence);
    },
  });
  servers.configure(new Map([["bench", { command: process.execPath, args: [file] }]]));
  return servers;
}

function assertEcho(result: string): void {
  if (!result.includes(ARGUMENTS.text)) throw new Error(`a call failed: ${result.slice(0, 200)}`);
}
