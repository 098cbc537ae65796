/** Every way in which issue and contract say that a plugin may misbehave, in one real chat: it goes on, all is named. */
import assert from "node:assert/strict";
import test from "node:test";
import { framesOf, Home } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";

const on = (event: string, callback: string) =>
  `export const register = (ctx) => { ctx.register_hook("${event}", ${callback}); };`;

/** By folder, so in load order. */
const PLUGINS: Readonly<Record<string, string>> = {
  "a-throws": on("pre_tool_call", `() => { throw new Error("boom\\nsecond line \\u001b[31m"); }`),
  "b-throws-text": on("pre_tool_call", `() => { throw "just text"; }`),
  "c-rejects": on("pre_tool_call", `async () => { throw new Error("async boom"); }`),
  "d-rejects-later": on(
    "pre_llm_call",
    `() => { setTimeout(() => Promise.reject(new Error("a stray rejection"))); setTimeout(() => { throw new Error("a stray throw"); }); }`,
  ),
  "e-never": on("pre_llm_call", `() => new Promise(() => undefined)`),
  "f-blocks": on("post_tool_call", `() => { const end = Date.now() + 2000; while (Date.now() < end); }`),
  "g-function": on("pre_tool_call", `() => () => ({ action: "block", message: "never" })`),
  "h-mutates": on("pre_tool_call", `({ args }) => { args.command = "echo mutated"; }`),
  "i-import": `import "./not-there.js";\nexport const register = () => undefined;`,
  "j-enum": `export const register = () => undefined;\nenum Colour { Red }`,
  "k-prints": `console.log("to stdout"); ${on("pre_llm_call", `() => { console.log("in a hook"); process.stdout.write("raw\\n"); }`)}`,
  "l-circle": "export const register = () => undefined;",
  "m-circle": "export const register = () => undefined;",
  "n-nonsense": on("pre_tool_call", `() => ({ action: "blok" })`),
  "o-verbless": on("pre_tool_call", `() => ({ decision: "block" })`),
  "p-hostile": on("pre_tool_call", `() => new Proxy({}, { get() { throw new Error("hostile"); } })`),
  "q-throws-at-load": `export function register(ctx) { ctx.register_hook("pre_tool_call", () => ({ action: "block", message: "half loaded" })); throw new Error("not today"); }`,
  "r-syntax": "export const register = (",
  "s-good": on("pre_llm_call", `() => "good"`),
};

test("all of them at once: the turn succeeds, each failure is one sentence with its plugin's name", async (t) => {
  const home = new Home(t);
  for (const [name, entry] of Object.entries(PLUGINS)) home.plugin(name, entry);
  home.write("plugins/l-circle/plugin.yaml", "name: l-circle\nrequires_plugins: [m-circle]\n");
  home.write("plugins/m-circle/plugin.yaml", "name: m-circle\nrequires_plugins: [l-circle]\n");
  home.write(
    "config.yaml",
    `plugins: { enabled: [${Object.keys(PLUGINS).join(", ")}], callback_timeout_seconds: 1 }\n`,
  );
  const message = '@terminal {"command":"echo as-asked"}';
  const ended = await home.run(["chat", "-q", message, "--output-format", "stream-json"]);
  assert.equal(ended.code, 0, ended.stderr);
  const frames = framesOf(ended);
  assert.match(String(frames.find(({ type }) => type === "tool_result")?.["content"]), /as-asked/);
  assert.equal(frames.at(-1)?.["completed"], true);

  const outcomes = Object.fromEntries(
    frames.filter(({ type }) => type === "hook").map(({ name, outcome }) => [name, outcome]),
  );
  assert.deepEqual(outcomes, {
    "a-throws": "error",
    "b-throws-text": "error",
    "c-rejects": "error",
    "d-rejects-later": "pass",
    "e-never": "timeout",
    "f-blocks": "timeout",
    "g-function": "error",
    "h-mutates": "error",
    "k-prints": "pass",
    "n-nonsense": "error",
    "o-verbless": "error",
    "p-hostile": "error",
    "s-good": "context",
  });

  const { stderr } = ended;
  for (const sentence of [
    /^plugin hook "a-throws" failed at pre_tool_call: boom ⏎ second line \\x1b\[31m$/m,
    /^plugin hook "b-throws-text" failed at pre_tool_call: just text$/m,
    /^plugin hook "c-rejects" failed at pre_tool_call: async boom$/m,
    /^plugin hook "e-never" did not answer pre_llm_call within 1 s\./m,
    /^warning: plugin "f-blocks" blocked the whole program for \d\.\d s in its callback for post_tool_call\./m,
    /^plugin hook "f-blocks" did not answer post_tool_call within 1 s\./m,
    /^plugin hook "g-function" gave an invalid answer to pre_tool_call/m,
    /^plugin hook "h-mutates" failed at pre_tool_call: .*read only/m,
    /^warning: plugin "i-import" was not loaded: .*i-import\/index\.ts:1: .*not-there/m,
    /^warning: plugin "j-enum" was not loaded: .*j-enum\/index\.ts:2: .*enum/m,
    /^warning: plugins require each other in a circle \(.*l-circle.*m-circle/m,
    /^plugin hook "n-nonsense" gave an invalid answer to pre_tool_call: unknown verb "blok"/m,
    /^plugin hook "p-hostile" failed at pre_tool_call: hostile$/m,
    /^warning: plugin "q-throws-at-load" was not loaded: .*q-throws-at-load\/index\.ts:1: not today/m,
    /^warning: plugin "r-syntax" was not loaded: .*r-syntax\/index\.ts:1/m,
  ]) {
    assert.match(stderr, sentence);
  }
  assert.doesNotMatch(stderr, /\n\s+at /, "no stack traces");
  assert.ok(!stderr.includes("\u001b"), "nothing that a terminal would act on");
  assert.doesNotMatch(stderr, /"e-never" blocked/, "whoever waits is not to blame for another's block");
  const log = home.read("logs/hermes.log");
  for (const line of [
    /"plugin":"d-rejects-later"[^\n]*a stray rejection/,
    /"plugin":"d-rejects-later"[^\n]*a stray throw/,
    /"plugin":"k-prints"[^\n]*to stdout/,
    /"plugin":"k-prints"[^\n]*in a hook/,
    /"plugin":"k-prints"[^\n]*raw/,
  ]) {
    assert.match(log, line);
  }
  assert.doesNotMatch(ended.stdout, /to stdout|in a hook|raw/);
  const states = (
    JSON.parse((await home.run(["plugins", "list", "--json"])).stdout) as { plugins: { name: string; state: string }[] }
  ).plugins
    .filter(({ state }) => state === "error")
    .map(({ name }) => name);
  assert.deepEqual(states, ["i-import", "j-enum", "q-throws-at-load", "r-syntax"]);
});

test("on_error: block makes each failure at the gate a block, and at no other event", async (t) => {
  const home = new Home(t);
  const failing: Readonly<Record<string, string>> = {
    throws: `() => { throw new Error("boom"); }`,
    hangs: `() => new Promise(() => undefined)`,
    nonsense: `() => "deny"`,
  };
  for (const [name, callback] of Object.entries(failing)) {
    home.plugin(
      name,
      `export function register(ctx) {
         for (const event of ["pre_tool_call", "pre_llm_call", "post_tool_call"]) ctx.register_hook(event, ${callback});
       }`,
    );
    const seconds = name === "hangs" ? 0.2 : 30;
    home.write(
      "config.yaml",
      `plugins: { enabled: [${name}], callback_timeout_seconds: ${seconds}, entries: { ${name}: { on_error: block } } }\n`,
    );
    const ended = await home.run(["chat", "-q", "run `touch sentinel`", "--output-format", "stream-json"]);
    assert.equal(ended.code, 0, `${name}: ${ended.stderr}`);
    assert.ok(!home.has("../work/sentinel"), name);
    const frames = framesOf(ended);
    const gate = frames.find(({ event }) => event === "pre_tool_call");
    const cause = name === "hangs" ? "timeout" : "error";
    assert.deepEqual([gate?.["outcome"], gate?.["cause"]], ["block", cause], name);
    assert.match(String(frames.find(({ type }) => type === "tool_result")?.["content"]), new RegExp(`guard.*${name}`));
    assert.ok(
      frames.some(({ event }) => event === "post_tool_call"),
      "a blocked call still fires post_tool_call",
    );
  }
});

test("tool and command handlers that never settle: the user stops them, and the outcome is reported", async (t) => {
  const home = new Home(t);
  home.plugin(
    "never",
    `import { writeFileSync } from "node:fs";
     const never = () => { writeFileSync(process.env.HERMES_HOME + "/begun", ""); return new Promise(() => undefined); };
     export function register(ctx) {
       ctx.register_tool({ name: "never", description: "never ends", parameters: { type: "object" }, handler: never });
       ctx.register_command({ name: "never", description: "never ends", handler: never });
     }`,
  );
  home.write("config.yaml", "plugins: { enabled: [never] }\n");
  for (const message of ["/never", "@never {}"]) {
    home.write("begun", "not yet");
    const running = home.start(["chat", "-q", message, "--output-format", "stream-json"]);
    await until(() => home.read("begun") === "", "the handler has begun");
    running.kill("SIGINT");
    const ended = await running.ended;
    assert.equal(ended.code, 130, `${message}: ${ended.stderr}`);
    assert.deepEqual(framesOf(ended).at(-1)?.["exit_code"], 130);
  }
});
