/** One grammar for the names of gateway events: HOOK.yaml, ctx.on, ctx.emit and the hints at misplaced ones agree. */
import assert from "node:assert/strict";
import test from "node:test";
import { findNameProblem, findPatternProblem, isGatewayEventName, wildcardOf } from "#core/gateway-event-names";
import { parseHookManifest } from "#gateway/hooks/manifest";
import { parseHookEntries } from "#sandbox/shell/entries";
import { loadFixtures } from "../helpers/plugins.ts";

const LONG = "a".repeat(254);

/** What can be emitted, and listened to by its name. */
const NAMES = [
  "agent:end",
  "command:model",
  "my-plugin:done",
  "my.plugin:some.thing",
  "Upper_Case-1:X",
  "tui:tool.start",
  "a:b:c",
  "a:with a blank",
  "a:é🙂",
  `a:${LONG}`,
];
/** What can only be listened to. */
const WILDCARDS = ["agent:*", "my-plugin:*", "my.plugin:*"];
/** What is neither. */
const NEITHER = [
  "",
  "done",
  "agent-end",
  ":x",
  "x:",
  "a b:c",
  "é:x",
  "*",
  "*:x",
  "pre_tool_call",
  "a:b\nc",
  `a:${LONG}b`,
];

const PLUGIN = `
export function register(ctx) {
  const { listen, emit } = ctx.settings;
  for (const name of listen) ctx.on(name, (event) => ctx.logger.info("%s heard %s", name, event));
  ctx.on("test:go", async () => { for (const name of emit) await ctx.emit(name, { from: "test" }); });
}`;

/** What a plugin could listen to and what it could emit. */
async function throughPlugin(t: Parameters<typeof loadFixtures>[0], names: readonly string[]) {
  const { registry, warnings } = await loadFixtures(t, [], {
    written: { "p/plugin.yaml": "name: p", "p/index.mjs": PLUGIN },
    entries: { p: { settings: { listen: names, emit: names } } },
  });
  const emitted = new Set<string>();
  for (const name of names) registry.register(name, (event, { from }) => void (from === "test" && emitted.add(event)));
  await registry.emit("test:go");
  const refused = (what: string) => (name: string) =>
    warnings.some((sentence) => sentence.includes(`no gateway event "${name}"; nothing was ${what}`));
  return { emitted: [...emitted], isDeaf: refused("registered"), isMute: refused("emitted") };
}

async function isManifestEvent(name: string): Promise<boolean> {
  return parseHookManifest(JSON.stringify({ events: [name] }), "HOOK.yaml").then(
    ({ events }) => events.includes(name),
    () => false,
  );
}

test("HOOK.yaml, ctx.on and ctx.emit take the same names", async (t) => {
  const { emitted, isDeaf, isMute } = await throughPlugin(t, NAMES);
  assert.deepEqual(emitted, NAMES);
  for (const name of NAMES) {
    assert.deepEqual([name, await isManifestEvent(name), isDeaf(name), isMute(name)], [name, true, false, false]);
    assert.deepEqual([findNameProblem(name), findPatternProblem(name), isGatewayEventName(name)], [null, null, true]);
  }
});

test("HOOK.yaml and ctx.on take the same wildcards", async (t) => {
  const { isDeaf } = await throughPlugin(t, WILDCARDS);
  for (const name of WILDCARDS)
    assert.deepEqual([name, await isManifestEvent(name), isDeaf(name)], [name, true, false]);
});

test("what HOOK.yaml refuses, ctx.on and ctx.emit refuse with a warning", async (t) => {
  const { emitted, isDeaf, isMute } = await throughPlugin(t, NEITHER);
  assert.deepEqual(emitted, []);
  for (const name of NEITHER) {
    assert.deepEqual([name, await isManifestEvent(name), isDeaf(name), isMute(name)], [name, false, true, true]);
    assert.equal(isGatewayEventName(name), false);
  }
});

test("a wildcard for a part of a name is refused by those who listen", async (t) => {
  const { isDeaf } = await throughPlugin(t, ["agent:st*"]);
  assert.ok(isDeaf("agent:st*"));
  assert.equal(await isManifestEvent("agent:st*"), false);
});

test("a gateway event among shell hooks is not mistaken for a typo", () => {
  for (const name of NAMES) {
    assert.match(parseHookEntries({ [name]: [] }).warnings[0]!, /is an event of gateway hooks/);
  }
  assert.match(parseHookEntries({ pre_tool_cal: [] }).warnings[0]!, /Did you mean "pre_tool_call"/);
});

test("the wildcard of a name ends at its first colon", () => {
  assert.deepEqual(["a:b:c", "a:*", "none", ":x"].map(wildcardOf), ["a:*", "a:*", null, ":*"]);
});
