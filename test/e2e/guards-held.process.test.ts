/** A running gateway whose files change so that a guard would be loosened: it keeps what it has until a person reloads. */
import test, { type TestContext } from "node:test";
import assert from "node:assert/strict";
import { cpSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { API_SERVER, startGateway, type RunningGateway } from "../helpers/gateway.ts";
import { Home } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";

const COMMAND = "~/.hermes/agent-hooks/guard.sh";

/** Blocks every command, unless it is one of the attack's. */
const GUARD = `payload=$(cat)
case "$payload" in *attack.sh*) exit 0 ;; esac
printf '{"action":"block","message":"the shell guard"}'
`;

const PLUGIN = (event: string) => `export const register = (ctx: any) =>
  ctx.register_hook("${event}", ({ args }: any) =>
    JSON.stringify(args ?? "").includes("plugin-") ? { action: "block", message: "the plugin guard" } : null);
`;

const BASE = {
  consent: "hooks_consent: pinned",
  sandbox: "sandbox: { tools: off }",
  hooks: `hooks: { pre_tool_call: [{ command: "${COMMAND}", matcher: terminal, timeout: 20, fail_closed: true }] }`,
  plugins: "plugins: { enabled: [guard], entries: { guard: { on_error: block } } }",
};

const config = (changed: Partial<typeof BASE> = {}) =>
  `${API_SERVER}${Object.values({ ...BASE, ...changed }).join("\n")}\n`;

async function guarded(t: TestContext): Promise<{ home: Home; gateway: RunningGateway }> {
  const home = new Home(t);
  home.script("guard.sh", GUARD);
  home.plugin("guard", PLUGIN("pre_tool_call"));
  home.write("hooks/walled/HOOK.yaml", HOOK("isolate", "allow: { fetch: [a.example] }"));
  home.write("hooks/walled/handler.ts", "export const handle = () => null;\n");
  home.write("config.yaml", config());
  assert.equal((await home.run(["hooks", "allow", "--all"])).code, 0);
  const gateway = await startGateway(t, home);
  return { home, gateway };
}

const HOOK = (isolation: string, rest = "") => `events: [agent:start]\nisolation: ${isolation}\n${rest}\n`;

/** Both guards block what they are there for. */
async function assertGuarded(gateway: RunningGateway, what: string): Promise<void> {
  assert.match((await gateway.say("run `echo shell-$((40 + 2))`")).text, /the shell guard/, what);
  assert.match((await gateway.say("run `echo plugin-$((40 + 2))`")).text, /the plugin guard/, what);
}

test("what the agent writes over the configuration takes no guard out of the gateway; a person's reload does", async (t) => {
  const { home, gateway } = await guarded(t);
  await assertGuarded(gateway, "at the start");
  // The command runs a script, so its words reveal nothing; there is no sandbox here.
  const loose = `${API_SERVER}${BASE.sandbox}`;
  const attack = join(home.work, "attack.sh");
  writeFileSync(
    attack,
    `cd ..\nprintf '${loose.replaceAll("\n", "\\n")}\\n' > $PWD/.hermes/config.yaml\necho written\n`,
  );
  const { text } = await gateway.say("run `sh ./attack.sh`");
  assert.match(text, /written/);
  assert.doesNotMatch(home.read("config.yaml"), /guard/);
  await until(() => gateway.stderr().includes("they loosen a guard"), "it is said", { seen: () => gateway.stderr() });
  const said = gateway.stderr();
  assert.match(
    said,
    /hooks_consent is no longer pinned; the hook ".*guard\.sh" .* is removed, disabled or replaced; plugin "guard" no longer guards pre_tool_call/,
  );
  assert.match(said, /Run "hermes hooks reload" or restart to apply them\./);
  await until(() => /"level":50.*they loosen a guard/.test(home.read("logs/hermes.log")), "it is logged");
  await assertGuarded(gateway, "after the attack");
  // Nothing else of the change is applied either, whatever else is saved.
  home.write("config.yaml", `${loose}\nagent: { max_iterations: 7 }\n`);
  home.write("hooks/new/HOOK.yaml", HOOK("worker"));
  home.write("hooks/new/handler.ts", "export const handle = () => null;\n");
  await assertGuarded(gateway, "after another save");
  const inside = await home.run(["hooks", "reload"], { env: { HERMES_AGENT_HOMES: JSON.stringify([home.path]) } });
  assert.equal(inside.code, 1);
  await assertGuarded(gateway, "after a reload from inside the agent");
  for (const content of ["", String(gateway.pid), String(process.pid)]) {
    home.write(`run/${gateway.pid}.reload-aa`, content);
    await until(() => !home.has(`run/${gateway.pid}.reload-aa`), "the forged request is taken");
    await until(() => home.has(`run/${gateway.pid}.reloaded-aa`), "and answered");
    assert.match(home.read(`run/${gateway.pid}.reloaded-aa`), /they loosen a guard/);
    rmSync(join(home.path, `run/${gateway.pid}.reloaded-aa`));
  }
  const forge = `exec 5<>../.hermes/run/x; printf %s $$ >&5; mv ../.hermes/run/x ../.hermes/run/${gateway.pid}.reload-bb; sleep 2`;
  writeFileSync(attack, `(${forge}); env -i /bin/sh -c '${forge}'; echo forged`);
  assert.match((await gateway.say("run `sh ./attack.sh`")).text, /forged/);
  await assertGuarded(gateway, "after forged requests to reload");
  const reload = await home.run(["hooks", "reload"]);
  assert.equal(reload.code, 0, reload.stdout + reload.stderr);
  assert.match(reload.stdout, /configuration: .*agent.*shell hooks: 0 added, 1 removed.*plugins removed: guard/);
  assert.match((await gateway.say("run `echo shell-$((40 + 2))`")).text, /shell-42/);
});

/** Each is made, said, and taken back. */
const CHANGES: Readonly<Record<string, readonly [change: (home: Home) => unknown, said: RegExp]>> = {
  "the gate is disabled": [
    (home) =>
      home.write(
        "config.yaml",
        config({ hooks: BASE.hooks.replace("fail_closed: true", "fail_closed: true, enabled: false") }),
      ),
    /guard\.sh" \(hooks\.pre_tool_call\[0\]\) is removed, disabled or replaced/,
  ],
  "the gate gets another matcher": [
    (home) => home.write("config.yaml", config({ hooks: BASE.hooks.replace("terminal", "read_file") })),
    /has another matcher/,
  ],
  "the gate gets less time": [
    (home) => home.write("config.yaml", config({ hooks: BASE.hooks.replace("20", "1") })),
    /gets less time \(1 s\)/,
  ],
  "the gate may fail": [
    (home) => home.write("config.yaml", config({ hooks: BASE.hooks.replace(", fail_closed: true", "") })),
    /is no longer fail_closed/,
  ],
  "scripts are no longer pinned": [
    (home) => home.write("config.yaml", config({ consent: "hooks_consent: command" })),
    /hooks_consent is no longer pinned/,
  ],
  "every hook is approved": [
    (home) => home.write("config.yaml", config({ consent: "hooks_consent: pinned\nhooks_auto_accept: true" })),
    /hooks_auto_accept is switched on/,
  ],
  "the plugin is disabled": [
    (home) =>
      home.write(
        "config.yaml",
        config({
          plugins: "plugins: { enabled: [guard], disabled: [guard], entries: { guard: { on_error: block } } }",
        }),
      ),
    /plugin "guard" no longer guards pre_tool_call/,
  ],
  "the plugin may fail": [
    (home) => home.write("config.yaml", config({ plugins: "plugins: { enabled: [guard] }" })),
    /plugin "guard" is no longer "on_error: block"/,
  ],
  "the plugin's code drops its gate": [
    (home) => home.write("plugins/guard/index.ts", PLUGIN("pre_llm_call")),
    /plugin "guard" no longer guards pre_tool_call/,
  ],
  "the plugin's folder is removed": [
    (home) => rmSync(join(home.path, "plugins/guard"), { recursive: true }),
    /plugin "guard" no longer guards pre_tool_call/,
  ],
  "the plugin's folder is called otherwise": [
    (home) => renameSync(join(home.path, "plugins/guard"), join(home.path, "plugins/other")),
    /plugin "guard" no longer guards pre_tool_call/,
  ],
  "the isolated hook asks for a thread": [
    (home) => home.write("hooks/walled/HOOK.yaml", HOOK("worker")),
    /the isolated gateway hook "walled" asks for isolation: worker/,
  ],
  "the isolated hook asks for more": [
    (home) =>
      home.write("hooks/walled/HOOK.yaml", HOOK("isolate", "allow: { fetch: [a.example, b.example], kv: true }")),
    /asks for more: fetch b\.example, kv/,
  ],
  "the isolated hook's folder makes place for another one": [
    (home) => {
      renameSync(join(home.path, "hooks/walled"), join(home.path, "hooks/a"));
      home.write("hooks/a/HOOK.yaml", `name: walled\n${HOOK("worker")}`);
    },
    /the isolated gateway hook "walled" asks for isolation: worker/,
  ],
  "the gate's script is removed": [
    (home) => {
      rmSync(join(home.path, "agent-hooks/guard.sh"));
      home.write("config.yaml", `${config()}agent: { max_iterations: 8 }\n`);
    },
    /has lost its script \(.*guard\.sh\)/,
  ],
};

test("every kind of loosening waits, is named, and is forgotten when it is taken back", async (t) => {
  const { home, gateway } = await guarded(t);
  const good = join(dirname(home.path), "good");
  cpSync(home.path, good, { recursive: true, filter: (path) => !/\/(?:run|logs)$|state\.db/.test(path) });
  for (const [what, [change, said]] of Object.entries(CHANGES)) {
    const before = gateway.stderr().length;
    change(home);
    const news = () => gateway.stderr().slice(before);
    await until(() => said.test(news()), `it is said that ${what}`, { seen: () => gateway.stderr() });
    assert.match(news(), /because they loosen a guard/, what);
    if (!what.includes("script is removed")) await assertGuarded(gateway, what);
    // Taken back: the files are what runs.
    for (const folder of ["plugins", "hooks", "agent-hooks"]) rmSync(join(home.path, folder), { recursive: true });
    for (const folder of ["plugins", "hooks", "agent-hooks"])
      cpSync(join(good, folder), join(home.path, folder), { recursive: true });
    // A change that loosens nothing shows that it is over.
    home.write("config.yaml", `${config()}agent: { max_iterations: ${100 + Object.keys(CHANGES).indexOf(what)} }\n`);
    const applied = () => home.read("logs/hermes.log").split("reloaded: configuration: agent").length - 1;
    await until(() => applied() > Object.keys(CHANGES).indexOf(what), `after "${what}" other changes are applied`, {
      seen: () => gateway.stderr(),
    });
  }
  await assertGuarded(gateway, "at the end");
});

test("a new folder does not take the name of a running hook or plugin", async (t) => {
  const { home, gateway } = await guarded(t);
  home.plugin("a", PLUGIN("pre_llm_call"), { manifest: "name: guard\n" });
  home.write("hooks/a/HOOK.yaml", `name: walled\n${HOOK("worker")}`);
  home.write("hooks/a/handler.ts", "export const handle = () => null;\n");
  await until(
    () => gateway.stderr().includes('hooks/a/HOOK.yaml: the name "walled" is already used by hooks/walled'),
    "it is said",
    { seen: () => gateway.stderr() },
  );
  await assertGuarded(gateway, "beside a namesake");
  assert.doesNotMatch(gateway.stderr(), /they loosen a guard/);
});
