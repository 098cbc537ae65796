import assert from "node:assert/strict";
import test from "node:test";
import { HookRegistry } from "#core/registry";

function fixture() {
  const reports: string[] = [];
  return { registry: new HookRegistry((sentence) => reports.push(sentence)), reports };
}

test("exact handlers run before wildcard ones, each in the order of registration", async () => {
  const { registry } = fixture();
  for (const [event, mark] of [
    ["command:*", "w1"],
    ["command:new", "e1"],
    ["command:*", "w2"],
    ["command:new", "e2"],
  ] as const) {
    registry.register(event, () => mark);
  }
  assert.deepEqual(await registry.emit_collect("command:new"), ["e1", "e2", "w1", "w2"]);
  assert.deepEqual(await registry.emit_collect("command:*"), ["w1", "w2"]);
  assert.deepEqual(await registry.emit_collect("session:start"), []);
});

test("a namespace is the text before the first colon", async () => {
  const { registry } = fixture();
  registry.register("a:*", (event) => event);
  assert.deepEqual(await registry.emit_collect("a:b:c"), ["a:b:c"]);
  assert.deepEqual(await registry.emit_collect("ab:c"), []);
});

test("handlers get an empty context when there is none; null and undefined are no answers", async () => {
  const { registry } = fixture();
  registry.register("a:b", (_event, context) => context);
  registry.register("a:b", () => null);
  registry.register("a:b", () => undefined);
  registry.register("a:b", async () => 0);
  assert.deepEqual(await registry.emit_collect("a:b"), [{}, 0]);
});

test("a handler that throws or rejects is reported by name and passed over", async () => {
  const { registry, reports } = fixture();
  const ran: string[] = [];
  registry.register("a:b", () => assert.fail("thrown"), { name: "bad" });
  registry.register("a:b", () => Promise.reject(new Error("rejected")), { name: "worse" });
  registry.register("a:b", () => ran.push("good"));
  await registry.emit("a:b");
  registry.emit_sync("a:b");
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(ran.length, 2);
  assert.equal(reports.length, 4);
  assert.ok(reports.every((sentence) => /"(bad|worse)" failed at a:b/.test(sentence)));
});

test("a handler taken away does not run again, and unregistering twice is harmless", async () => {
  const { registry } = fixture();
  const ran: string[] = [];
  const undo = registry.register("a:b", () => ran.push("a"), { name: "first" });
  registry.register("a:b", () => ran.push("b"));
  undo();
  undo();
  await registry.emit("a:b");
  assert.deepEqual(ran, ["b"]);
  assert.deepEqual(
    registry.loaded_hooks.map(({ events }) => events),
    [["a:b"]],
  );
});

test("a handler may register and unregister while its event is emitted", async () => {
  const { registry } = fixture();
  const ran: string[] = [];
  const undo = registry.register("a:b", () => {
    ran.push("once");
    undo();
    registry.register("a:b", () => ran.push("new"));
  });
  await registry.emit("a:b");
  assert.deepEqual(ran, ["once"]);
  await registry.emit("a:b");
  assert.deepEqual(ran, ["once", "new"]);
});
