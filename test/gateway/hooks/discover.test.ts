/** Which folders of hooks/ hold a hook, and why the others are skipped. */
import test, { type TestContext } from "node:test";
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { TIERS } from "#core/tiers";
import { discoverGatewayHooks, type FoundGatewayHook } from "#gateway/hooks/discover";
import { DEFAULT_SETTINGS, gatewayHookSettings } from "#gateway/hooks/settings";

const EVENTS = "events: [agent:end]\n";

function makeFolder(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = join(mkdtempSync(join(tmpdir(), "hermes-discover-")), "hooks");
  t.after(() => rmSync(dirname(folder), { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return folder;
}

const discover = (folder: string) => discoverGatewayHooks(folder, { settings: DEFAULT_SETTINGS });

function reasonsOf(hooks: readonly FoundGatewayHook[], folder: string): Record<string, string> {
  return Object.fromEntries(
    hooks.map((found) => [found.directory, found.kind === "hook" ? "good" : found.reason.replaceAll(folder, "hooks")]),
  );
}

test("a hooks folder that is not there is nothing at all", async (t) => {
  assert.deepEqual(await discover(join(makeFolder(t, {}), "none")), { hooks: [], warnings: [] });
});

test("good folders, and a reason for each that is skipped, in the order of their names", async (t) => {
  const folder = makeFolder(t, {
    "handler-folder/HOOK.yaml": EVENTS,
    "handler-folder/handler.ts/index.ts": "",
    "z-good/HOOK.yaml": EVENTS,
    "z-good/handler.mjs": "",
    "a-good/HOOK.yaml": `name: first\n${EVENTS}`,
    "a-good/handler.ts": "",
    "b-namesake/HOOK.yaml": `name: first\n${EVENTS}`,
    "b-namesake/handler.ts": "",
    "c-off/HOOK.yaml": `name: first\n${EVENTS}enabled: false`,
    "c-off/handler.ts": "",
    "no-manifest/handler.ts": "",
    "other-ending/HOOK.yml": EVENTS,
    "no-handler/HOOK.yaml": EVENTS,
    "two-handlers/HOOK.yaml": EVENTS,
    "two-handlers/handler.ts": "",
    "two-handlers/handler.js": "",
    "python/HOOK.yaml": EVENTS,
    "python/handler.py": "def handle(): pass",
    "python-isolated/HOOK.yaml": `${EVENTS}isolation: isolate`,
    "python-isolated/handler.py": "def handle(): pass",
    "bad/HOOK.yaml": "events: 5",
    "bad/handler.ts": "",
    "readme.txt": "no hook",
    ".git/HOOK.yaml": EVENTS,
    "node_modules/x/HOOK.yaml": EVENTS,
  });
  const { hooks, warnings } = await discover(folder);
  assert.deepEqual(warnings, []);
  assert.deepEqual(Object.entries(reasonsOf(hooks, folder)), [
    ["a-good", "good"],
    ["b-namesake", 'hooks/b-namesake/HOOK.yaml: the name "first" is already used by hooks/a-good.'],
    ["bad", "hooks/bad/HOOK.yaml:1: events is 5; expected a list"],
    ["c-off", "good"],
    ["handler-folder", "hooks/handler-folder: handler.ts is not a file."],
    [
      "no-handler",
      "hooks/no-handler: there is no handler; expected one of handler.ts, handler.mts, handler.js, handler.mjs, handler.py.",
    ],
    ["no-manifest", "hooks/no-manifest has no HOOK.yaml."],
    ["other-ending", "hooks/other-ending has no HOOK.yaml. Rename HOOK.yml to HOOK.yaml."],
    ["python", "good"],
    [
      "python-isolated",
      "hooks/python-isolated: handler.py cannot run with isolation: isolate. Remove isolation, or write it as handler.ts.",
    ],
    ["two-handlers", "hooks/two-handlers: there are several handlers (handler.ts, handler.js); keep only one."],
    ["z-good", "good"],
  ]);
  const [first] = hooks;
  assert.ok(first?.kind === "hook");
  assert.equal(first.hook.handler, join(folder, "a-good/handler.ts"));
  assert.equal(first.hook.timeoutSeconds, 30);
});

test("each tier takes its own handlers; a hook that names no tier runs in the first that takes its file", async (t) => {
  const cases = TIERS.flatMap(({ name, handlers }) => handlers.map((handler) => ({ name, handler })));
  const files: Record<string, string> = {};
  for (const { name, handler } of cases) {
    files[`${name}-${handler}/HOOK.yaml`] = `${EVENTS}isolation: ${name}\n`;
    files[`${name}-${handler}/${handler}`] = "";
    files[`any-${handler}/HOOK.yaml`] = EVENTS;
    files[`any-${handler}/${handler}`] = "";
  }
  const { hooks } = await discover(makeFolder(t, files));
  const found = new Map(hooks.map((one) => [one.directory, one.kind === "hook" ? one.hook.isolation : one.reason]));
  for (const { name, handler } of cases) {
    assert.equal(found.get(`${name}-${handler}`), name);
    const first = TIERS.find(({ handlers }) => (handlers as readonly string[]).includes(handler))?.name;
    assert.equal(found.get(`any-${handler}`), first);
  }
});

test("a script comes before handler.py, which runs where it is asked for and never where the hook is untrusted", async (t) => {
  const both = { "handler.ts": "", "handler.py": "" };
  const folder = makeFolder(t, {
    ...prefix("any", { ...both, "HOOK.yaml": EVENTS }),
    ...prefix("asked", { ...both, "HOOK.yaml": `${EVENTS}isolation: python` }),
    ...prefix("pulled", { "handler.py": "", "HOOK.yaml": EVENTS }),
  });
  const settings = gatewayHookSettings({ gateway: { hooks: { untrusted: ["pulled"] } } });
  const findTierProblem = async () => null;
  const { hooks } = await discoverGatewayHooks(folder, { settings, findTierProblem });
  assert.deepEqual(
    hooks.map((one) => (one.kind === "hook" ? one.hook.isolation : [one.isolation, one.gone, one.reason])),
    [
      "worker",
      "python",
      [
        "python",
        true,
        `${join(folder, "pulled/handler.py")}: the configuration names this hook as untrusted, and handler.py cannot run in an isolate.`,
      ],
    ],
  );
});

test("links: to folders, to files, to nothing, and in a circle", async (t) => {
  const folder = makeFolder(t, { "real/HOOK.yaml": `name: real\n${EVENTS}`, "real/handler.ts": "" });
  const outside = makeFolder(t, { "linked/HOOK.yaml": EVENTS, "linked/handler.ts": "" });
  symlinkSync(join(outside, "linked"), join(folder, "linked"));
  symlinkSync(join(folder, "real/handler.ts"), join(folder, "to-a-file"));
  symlinkSync(join(folder, "gone"), join(folder, "to-nothing"));
  symlinkSync(join(folder, "circle-b"), join(folder, "circle-a"));
  symlinkSync(join(folder, "circle-a"), join(folder, "circle-b"));
  symlinkSync(folder, join(folder, "to-itself"));
  const { hooks, warnings } = await discover(folder);
  assert.deepEqual(warnings, []);
  const reasons = reasonsOf(hooks, folder);
  assert.deepEqual(Object.keys(reasons), ["circle-a", "circle-b", "linked", "real", "to-itself", "to-nothing"]);
  assert.match(reasons["circle-a"]!, /hooks\/circle-a cannot be read: ELOOP/);
  assert.equal(reasons["linked"], "good");
  assert.equal(reasons["to-itself"], "hooks/to-itself has no HOOK.yaml.");
  assert.equal(reasons["to-nothing"], "hooks/to-nothing is a broken symbolic link.");
  const linked = hooks.find(({ directory }) => directory === "linked");
  assert.ok(linked?.kind === "hook");
  assert.equal(linked.hook.folder, join(outside, "linked"));
});

test("a hooks folder that is a circle of links, or a file, is a warning", async (t) => {
  const root = dirname(makeFolder(t, { "x/HOOK.yaml": EVENTS }));
  symlinkSync(join(root, "b"), join(root, "a"));
  symlinkSync(join(root, "a"), join(root, "b"));
  writeFileSync(join(root, "file"), "");
  for (const name of ["a", "file"]) {
    const { hooks, warnings } = await discover(join(root, name));
    assert.deepEqual(hooks, []);
    assert.match(warnings.join(), /cannot be read, so there are no gateway hooks: (ELOOP|ENOTDIR)/);
  }
});

test("1,000 folders are found without holding them open, and others get their turn meanwhile", async (t) => {
  // Links to one folder, which is read as often as 1,000 folders would be; making those takes longer than reading.
  const real = join(makeFolder(t, { "one/HOOK.yaml": EVENTS, "one/handler.ts": "" }), "one");
  const folder = makeFolder(t, {});
  mkdirSync(folder);
  for (let index = 0; index < 1000; index++) symlinkSync(real, join(folder, `hook-${index}`));
  let turns = 0;
  let most = 0;
  const watch = setInterval(() => {
    turns++;
    if (process.platform === "linux") most = Math.max(most, readdirSync("/proc/self/fd").length);
  }, 1);
  const before = process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0;
  const { hooks } = await discover(folder);
  clearInterval(watch);
  assert.equal(hooks.filter(({ kind }) => kind === "hook").length, 1000);
  assert.ok(turns > 20, `only ${turns} turns`);
  assert.ok(most < before + 50, `${most} files were open`);
});

test("untrusted folders are held to the isolate and to what both sides allow; names without effect are warned about", async (t) => {
  const folder = makeFolder(t, {
    "pulled/HOOK.yaml": `${EVENTS}isolation: worker\nallow: { fetch: [a.example, B.example], env: [HOME], kv: true }`,
    "pulled/handler.ts": "",
    "modest/HOOK.yaml": EVENTS,
    "modest/handler.ts": "",
    "own/HOOK.yaml": `${EVENTS}allow: { kv: true }`,
    "own/handler.ts": "",
  });
  const settings = gatewayHookSettings({
    gateway: {
      hooks: {
        untrusted: ["pulled", "modest", "moddest", "__proto__"],
        grants: { pulled: { fetch: ["b.EXAMPLE", "c.example"], env: ["HOME"] }, own: { kv: true } },
      },
    },
  });
  const { hooks, warnings } = await discoverGatewayHooks(folder, { settings });
  const found = hooks.map((one) => {
    assert.ok(one.kind === "hook");
    return [one.directory, one.untrusted, one.hook.isolation, one.hook.allow, one.warnings];
  });
  const nothing = { fetch: [], env: [], kv: false };
  const vain = `${folder}/own/HOOK.yaml:2: allow has no effect: a handler can do whatever hermes can, except with isolation: isolate`;
  assert.deepEqual(found, [
    ["modest", true, "isolate", nothing, []],
    ["own", false, "worker", { ...nothing, kv: true }, [vain]],
    [
      "pulled",
      true,
      "isolate",
      { fetch: ["b.example"], env: ["HOME"], kv: false },
      [
        "hooks/pulled asks for isolation: worker, but gateway.hooks.untrusted names it, so it runs in an isolate.",
        "hooks/pulled asks for more than gateway.hooks.grants.pulled grants, and does not get it: fetch a.example, kv.",
      ],
    ],
  ]);
  assert.deepEqual(warnings, [
    'gateway.hooks.untrusted: there is no folder hooks/moddest. Did you mean "modest"?',
    "gateway.hooks.untrusted: there is no folder hooks/__proto__.",
    "gateway.hooks.grants.own has no effect, because gateway.hooks.untrusted does not name own.",
  ]);
});

function prefix(folder: string, files: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]));
}
