/** `hermes gateway` as a person runs it: with `api_server` alone, real hooks of every kind, real signals. */
import test from "node:test";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { API_SERVER, startGateway, type RunningGateway } from "../helpers/gateway.ts";
import { until } from "../helpers/poll.ts";
import { Home } from "../helpers/hermes.ts";
import { signalUntilEnded } from "../helpers/processes.ts";

const run = promisify(execFile);

test("a gateway with api_server alone answers curl and an OpenAI client; a second one of its home is refused", async (t) => {
  const home = new Home(t);
  const gateway = await startGateway(t, home, { config: API_SERVER });
  const { stdout } = await run("curl", [
    "-sS",
    `${gateway.url}/v1/chat/completions`,
    "-H",
    "content-type: application/json",
    "-d",
    JSON.stringify({ model: "hermes", messages: [{ role: "user", content: "hello there" }] }),
  ]);
  const answer = JSON.parse(stdout) as { object: string; choices: { message: { content: string } }[] };
  assert.equal(answer.object, "chat.completion");
  assert.match(answer.choices[0]!.message.content, /hello there/);

  const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
  const { streamText } = await import("ai");
  const client = createOpenAICompatible({ name: "hermes", baseURL: `${gateway.url}/v1` });
  const result = streamText({ model: client("hermes"), prompt: "run `echo streamed`", maxRetries: 0 });
  let text = "";
  for await (const part of result.textStream) text += part;
  assert.match(text, /streamed/);

  const { code, stderr } = await home.run(["gateway"]);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`${gateway.pid}`));
});

test("the same guards block on the gateway as in chat: a plugin's and a shell hook's", async (t) => {
  const home = new Home(t);
  home.plugin(
    "guard",
    `export function register(ctx) {
       ctx.register_hook("pre_tool_call", ({ args }) =>
         args.command?.includes("plugin-no") ? { action: "block", message: "the plugin says no" } : null);
     }`,
  );
  const script = home.script(
    "guard.sh",
    `grep -q shell-no && printf '{"decision":"block","reason":"the shell says no"}'\nexit 0\n`,
  );
  home.write(
    "config.yaml",
    `${API_SERVER}plugins: { enabled: [guard] }\nhooks: { pre_tool_call: [ { command: ${script}, matcher: terminal } ] }\n`,
  );
  const asked = ["run `echo plugin-no`", "run `echo shell-no`", "run `echo fine`"];
  const gateway = await startGateway(t, home, { args: ["--accept-hooks"] });
  for (const [surface, say] of [
    ["gateway", async (text: string) => (await gateway.say(text)).text],
    ["chat", async (text: string) => (await home.run(["chat", "-Q", "-q", text])).stdout],
  ] as const) {
    const [plugin, shell, fine] = [await say(asked[0]!), await say(asked[1]!), await say(asked[2]!)];
    assert.match(plugin, /the plugin says no/, surface);
    assert.match(shell, /the shell says no/, surface);
    assert.match(fine, /fine/, surface);
  }
});

test("gateway hooks run in the gateway, in worker and isolate, and not in chat", async (t) => {
  const home = new Home(t);
  const seen = join(home.path, "seen.jsonl");
  home.write(
    "hooks/watch/HOOK.yaml",
    'name: watch\nevents: ["agent:start", "agent:end", "command:*", "gateway:startup"]\n',
  );
  home.write(
    "hooks/watch/handler.ts",
    `import { appendFileSync } from "node:fs";
     export async function handle(event_type: string, context: Record<string, unknown>) {
       appendFileSync(${JSON.stringify(seen)}, JSON.stringify({ event_type, ...context }) + "\\n");
       if (event_type === "command:secret") return { decision: "handled", message: "said the worker" };
     }`,
  );
  home.write("hooks/closed/HOOK.yaml", 'name: closed\nevents: ["command:*"]\nisolation: isolate\n');
  home.write(
    "hooks/closed/handler.ts",
    `export const handle = (event_type: string) =>
       event_type === "command:forbidden" ? { decision: "deny", message: "said the isolate" } : null;`,
  );
  const gateway = await startGateway(t, home, { config: API_SERVER });
  assert.equal((await gateway.say("/secret", "ben")).text, "said the worker");
  assert.equal((await gateway.say("/forbidden", "ben")).text, "said the isolate");
  await gateway.sees("hook watch handled /secret");
  await gateway.say("hello hook", "ben");
  const events = await until(() => {
    const lines = existsSync(seen) ? readFileSync(seen, "utf8").trim().split("\n") : [];
    const found = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    return found.some(({ event_type }) => event_type === "agent:end") ? found : null;
  }, "agent:end was seen");
  assert.deepEqual(
    events.map(({ event_type }) => event_type),
    ["gateway:startup", "command:secret", "command:forbidden", "agent:start", "agent:end"],
  );
  assert.deepEqual(events[0]!["platforms"], ["api_server"]);
  assert.equal(events[4]!["message"], "hello hook");
  assert.equal(events[4]!["platform"], "api_server");
  assert.equal(events[4]!["user_id"], "ben");
  await home.run(["chat", "-q", "hello chat"]);
  assert.ok(!readFileSync(seen, "utf8").includes("hello chat"));
});

/** A turn that runs until {@link letGo}. */
const HELD = "run `touch begun; until [ -e go ]; do sleep 0.02; done; echo slept`";

/** Lets the turn end once the gateway waits for it. */
async function letGo(home: Home, gateway: RunningGateway): Promise<void> {
  await gateway.sees("Waiting for 1 running turn to finish");
  writeFileSync(join(home.work, "go"), "");
}

test("signals let a running turn end, several together as well; a later one cuts it; conversations continue after that", async (t) => {
  const home = new Home(t);
  for (const signals of [1, 3]) {
    const gateway = await startGateway(t, home, { config: API_SERVER });
    await gateway.say(`words before restart ${signals}`, "anna");
    const answer = gateway.say(HELD, "carla");
    await until(() => existsSync(join(home.work, "begun")), "the turn runs");
    for (let count = 0; count < signals; count++) gateway.kill("SIGTERM");
    await letGo(home, gateway);
    assert.match((await answer).text, /slept/);
    assert.equal((await gateway.ended).code, 0);
    for (const file of ["begun", "go"]) rmSync(join(home.work, file));
  }

  const last = await startGateway(t, home);
  const lost = last.say("run `touch begun; sleep 600`", "carla").catch(() => "the connection was cut");
  await until(() => existsSync(join(home.work, "begun")), "the turn runs");
  last.kill("SIGINT");
  await last.sees("Waiting for 1 running turn to finish");
  assert.equal((await signalUntilEnded(last, "SIGINT")).code, 130);
  await lost;

  const listed = JSON.parse((await home.run(["sessions", "list", "--json"])).stdout) as {
    sessions: { id: string; key: string; platform: string }[];
  };
  assert.deepEqual(
    listed.sessions.map(({ key, platform }) => `${platform} ${key}`).toSorted(),
    ["anna", "carla"].map((name) => `api_server agent:main:api_server:dm:${name}`),
  );
  const { id } = listed.sessions.find(({ key }) => key.endsWith("anna"))!;
  const shown = (await home.run(["sessions", "show", id])).stdout;
  assert.match(shown, /words before restart 1[^]*words before restart 3/);
});

const RECORDS = (file: string) => `
  import { appendFileSync } from "node:fs";
  export function register(ctx) {
    for (const event of ["on_session_start", "on_session_end", "on_session_finalize"]) {
      ctx.register_hook(event, ({ completed, platform }) => {
        appendFileSync(${JSON.stringify(file)}, [event, platform, completed].join(" ").trim() + "\\n");
      });
    }
  }`;

test("SIGTERM while BOOT.md runs lets it end, its session's closing hooks included", async (t) => {
  const home = new Home(t);
  const seen = join(home.work, "seen");
  home.plugin("records", RECORDS(seen));
  home.write("BOOT.md", `${HELD}\n`);
  const gateway = await startGateway(t, home, { config: `${API_SERVER}plugins: { enabled: [records] }\n` });
  await until(() => existsSync(join(home.work, "begun")), "the turn runs");
  gateway.kill("SIGTERM");
  await letGo(home, gateway);
  assert.equal((await gateway.ended).code, 0);
  assert.equal(
    readFileSync(seen, "utf8"),
    "on_session_start gateway\non_session_end gateway true\non_session_finalize gateway\n",
  );
});

test("a plugin's turn that still runs when a chat ends is stopped, and its session's closing hooks run", async (t) => {
  const home = new Home(t);
  const seen = join(home.work, "seen");
  home.plugin("records", RECORDS(seen));
  home.plugin(
    "turns",
    `let asked = false;
     export const register = (ctx) => ctx.register_hook("pre_llm_call", () => {
       if (!asked) void ctx.run_turn({ prompt: "run \`touch begun; sleep 600\`" });
       asked = true;
     });`,
  );
  home.write("config.yaml", "plugins: { enabled: [records, turns] }\n");
  assert.equal((await home.run(["chat", "-q", "run `until [ -e begun ]; do sleep 0.02; done`"])).code, 0);
  assert.deepEqual(readFileSync(seen, "utf8").trim().split("\n"), [
    "on_session_start cli",
    "on_session_start cli",
    "on_session_end cli true",
    "on_session_finalize cli",
    "on_session_end cli false",
    "on_session_finalize cli",
  ]);
});

test("without a platform the gateway says what to write", async (t) => {
  const home = new Home(t);
  const { code, stderr } = await home.run(["gateway"]);
  assert.equal(code, 2);
  assert.match(stderr, /gateway:\n +platforms:\n +api_server:\n +enabled: true/);
});
