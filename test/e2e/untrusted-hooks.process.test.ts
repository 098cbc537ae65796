/** Gateway hooks that the configuration does not trust: held to the isolate and their grants, at the start and at a reload. */
import test, { type TestContext } from "node:test";
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { startGateway, type RunningGateway } from "../helpers/gateway.ts";
import { Home } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";

const GREEDY = "isolation: worker\nallow: { kv: true, fetch: [a.example, b.example], env: [HOME] }\n";
const GRANTS = "{ kv: true, fetch: [A.example] }";

/** Tells where it runs and what it was granted. */
const PROBE = (version: string) => `export const handle = (event, context, host) => ({
  decision: "handled",
  message: JSON.stringify(["${version}", typeof process, Object.keys(host ?? {}).sort()]),
});
`;

const manifest = (name: string, rest = "") => `name: ${name}\nevents: ["command:probe"]\n${rest}`;

function config(untrusted: string, grants = GRANTS): string {
  return `gateway:
  platforms: { api_server: { enabled: true, port: 0 } }
  hooks: { untrusted: [${untrusted}], grants: { pulled: ${grants} } }
`;
}

async function start(t: TestContext, rest = GREEDY): Promise<{ home: Home; gateway: RunningGateway }> {
  const home = new Home(t);
  home.write("hooks/pulled/HOOK.yaml", manifest("pulled", rest));
  home.write("hooks/pulled/handler.ts", PROBE("v1"));
  return { home, gateway: await startGateway(t, home, { config: config("pulled") }) };
}

const probe = async (gateway: RunningGateway) => JSON.parse((await gateway.say("/probe")).text) as unknown;
const sees = (gateway: RunningGateway, text: string) =>
  until(() => gateway.stderr().includes(text), text, { seen: () => gateway.stderr() });

async function reload(home: Home): Promise<void> {
  const { code, stdout, stderr } = await home.run(["hooks", "reload"]);
  assert.equal(code, 0, stdout + stderr);
}

const ISOLATED = ["undefined", ["fetch", "kv", "log"]];

test("an untrusted hook runs in the isolate with no more than its grants, whatever its manifest says", async (t) => {
  const { home, gateway } = await start(t);
  assert.deepEqual(await probe(gateway), ["v1", ...ISOLATED]);
  await sees(gateway, "hooks/pulled asks for isolation: worker, but gateway.hooks.untrusted names it");
  await sees(
    gateway,
    "hooks/pulled asks for more than gateway.hooks.grants.pulled grants, and does not get it: fetch b.example, env HOME.",
  );
  assert.doesNotMatch(gateway.stderr(), /allow has no effect/);

  const listed = JSON.parse((await home.run(["hooks", "list", "--json"])).stdout) as {
    hooks: Record<string, unknown>[];
  };
  const [{ source, untrusted } = {}] = listed.hooks;
  assert.deepEqual([source, untrusted], ["isolate", true]);
  assert.match((await home.run(["hooks", "list"])).stdout, /isolate\s+pulled .*enabled, untrusted/);
  const doctor = await home.run(["hooks", "doctor"]);
  assert.match(doctor.stdout, /pulled\s+\(isolate, untrusted\)\n\s+problem: .*asks for isolation: worker/);
});

test("a reload holds a changed manifest to the same bounds, and loosens them only when a person asks", async (t) => {
  const { home, gateway } = await start(t, "isolation: isolate\n");
  assert.deepEqual(await probe(gateway), ["v1", "undefined", ["log"]]);
  home.write("hooks/pulled/HOOK.yaml", manifest("pulled", "isolation: isolate\nallow: { kv: true }\n"));
  await sees(gateway, 'they loosen a guard: the isolated gateway hook "pulled" asks for more: kv');
  await reload(home);
  assert.deepEqual(await probe(gateway), ["v1", "undefined", ["kv", "log"]], "what is granted, once a person agreed");
  home.write(
    "hooks/pulled/HOOK.yaml",
    manifest("pulled", GREEDY.replace(/, env.*/, " }").replace("a.example, b.example", "b.example")),
  );
  home.write("hooks/pulled/handler.ts", PROBE("v2"));
  await until(async () => JSON.stringify(await probe(gateway)).includes("v2"), "the new version", {
    seen: () => gateway.stderr(),
  });
  assert.deepEqual(await probe(gateway), ["v2", "undefined", ["kv", "log"]], "it asks for a thread in vain");

  home.write("config.yaml", config(""));
  await sees(gateway, "gateway.hooks.untrusted no longer names pulled");
  home.write("config.yaml", config("pulled", "{ kv: true, fetch: [b.example] }"));
  await sees(gateway, "gateway.hooks.grants.pulled grants more: fetch b.example");
  assert.deepEqual(await probe(gateway), ["v2", "undefined", ["kv", "log"]]);
  home.write("config.yaml", config(""));
  await reload(home);
  assert.deepEqual(await probe(gateway), ["v2", "object", []], "in a thread, as its manifest says");
});

test("a folder that is removed and added again is held to what it had", async (t) => {
  const home = new Home(t);
  const write = (rest: string) => {
    home.write("hooks/walled/handler.ts", PROBE("v1"));
    home.write("hooks/walled/HOOK.yaml", manifest("walled", rest));
  };
  write("isolation: isolate\n");
  const gateway = await startGateway(t, home, { config: config("") });
  rmSync(join(home.path, "hooks/walled"), { recursive: true });
  await until(() => home.read("logs/hermes.log").includes('\\"walled\\" is no longer loaded'), "it is gone");
  write("isolation: worker\n");
  await sees(gateway, 'the isolated gateway hook "walled" asks for isolation: worker');
  write("isolation: isolate\n");
  await until(() => home.read("logs/hermes.log").includes('\\"walled\\" is loaded'), "it is back");
  assert.deepEqual(await probe(gateway), ["v1", "undefined", ["log"]]);
});

test("a loaded hook keeps its name at a reload, also while its manifest is broken; at the start the first folder does", async (t) => {
  const { home, gateway } = await start(t, "isolation: isolate\n");
  const said = 'hooks/a/HOOK.yaml: the name "pulled" is already used by hooks/pulled';
  home.write("hooks/pulled/HOOK.yaml", "events: 5\n");
  await sees(gateway, "HOOK.yaml:1: events is 5");
  home.write("hooks/a/handler.ts", PROBE("another"));
  home.write("hooks/a/HOOK.yaml", manifest("pulled"));
  await sees(gateway, said);
  assert.deepEqual(await probe(gateway), ["v1", "undefined", ["log"]], "only the loaded one answers");
  home.write("hooks/pulled/HOOK.yaml", manifest("pulled", "isolation: isolate\n"));
  gateway.kill("SIGTERM");
  await gateway.ended;
  const again = await startGateway(t, home);
  await sees(again, 'hooks/pulled/HOOK.yaml: the name "pulled" is already used by hooks/a');
  assert.deepEqual(await probe(again), ["another", "object", []]);
});
