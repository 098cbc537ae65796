/** What a handler in an isolate is granted, each within its bounds, and what it is not. */
import assert from "node:assert/strict";
import test from "node:test";
import { createHookValues } from "#sandbox/isolate/values";
import { Isolates } from "../helpers/isolates.ts";

/** A handler whose body gets `host`; `message` of its answer is what the body gives. */
const body = (code: string) => `export async function handle(event, context, host) {
  const message = await (async () => { ${code} })();
  return { message };
}`;

test("without grants there is nothing but the log", async (context) => {
  const isolates = new Isolates(context, { SECRET_TOKEN: "hidden" });
  const hook = isolates.open(
    "bare",
    body(
      `return [Object.keys(host), host.env, host.fetch, host.kv, Object.isFrozen(host), Object.isFrozen(host.log)];`,
    ),
  );
  assert.deepEqual((await hook.run())?.message, [["log"], null, null, null, true, true]);
});

test("the handler gets the event and its own copy of the context", async (context) => {
  const isolates = new Isolates(context);
  const hook = isolates.open(
    "echo",
    `export const handle = (event, context) => { context.list.push(event); return { message: context.list }; };`,
  );
  const list: unknown[] = [{ é: "\u2028💡" }, null, 1.5, ["\0"]];
  assert.deepEqual((await hook.run({ list }))?.message, [...list, "command:test"]);
  assert.equal(list.length, 4);
});

test("an answer that is not plain data is an error where answers are used, and ignored elsewhere", async (context) => {
  const isolates = new Isolates(context);
  const hook = isolates.open(
    "odd",
    `export const handle = (_e, { big }) => (big ? { list: "x".repeat(2_000_000) } : () => 1);`,
  );
  assert.match((await hook.fails()).message, /it returned a function, which is not plain data$/);
  assert.match((await hook.fails({ big: true })).message, /its answer has 2000011 characters of JSON$/);
  assert.equal(await hook.run({}, "agent:end"), null);
  assert.equal(await hook.run({ big: true }, "agent:end"), null);
});

test("an event that is too large is refused before the handler", async (context) => {
  const isolates = new Isolates(context);
  const hook = isolates.open("any", `export const handle = (_e, { text }) => ({ message: text.length });`, {
    memoryMb: 128,
  });
  assert.equal((await hook.run({ text: "é".repeat(1_000_000) }))?.message, 1_000_000);
  const { code, message } = await hook.fails({ text: "x".repeat(5_000_000) });
  assert.equal(code, "HERMES_HANDLER_FAILED");
  assert.match(message, /the event is larger than 4194304 bytes$/);
  assert.equal((await hook.run({ text: "" }))?.message, 0);
});

test("host.log and console write lines to the log, bounded in length and number", async (context) => {
  const isolates = new Isolates(context);
  const hook = isolates.open(
    "talks",
    body(`
      for (const level of ["debug", "info", "warn", "error"]) host.log[level](level);
      console.log("two", { a: 1 }, [2n === 2n], 3n, undefined, Symbol("s"));
      console.error(new TypeError("broken").message);
      host.log.info("first\\nsecond");
      host.log.info("x".repeat(100_000));
      for (let index = 0; index < 1000; index++) host.log.debug(index);`),
  );
  await hook.run();
  const [debug, info, warn, error, two, broken, first, second, long] = hook.output;
  assert.deepEqual([debug, info, warn, error], ["debug: debug", "info: info", "warn: warn", "error: error"]);
  assert.equal(two, `info: two {"a":1} [true] 3 undefined Symbol(s)`);
  assert.deepEqual([broken, first, second], ["error: broken", "info: first", "info: second"]);
  assert.equal(long, `info: ${"x".repeat(8192)}…`);
  assert.equal(hook.output.length, 201);
  assert.equal(hook.output.at(-1), "warn: more than 200 lines of output in one run; the rest is dropped");
  hook.output.length = 0;
  await hook.run();
  assert.equal(hook.output.length, 201, "each run has its own");
});

test("host.env shows the variables that are named, where they are set", async (context) => {
  const isolates = new Isolates(context, { SHOWN: "yes", HIDDEN: "no" });
  const code = body(`return [{ ...host.env }, host.env.HIDDEN ?? null, host.env.constructor ?? null];`);
  const hook = isolates.open("env", code, { allow: { env: ["SHOWN", "UNSET", "toString"] } });
  assert.deepEqual((await hook.run())?.message, [{ SHOWN: "yes" }, null, null]);
});

test("host.kv keeps texts from event to event, for each hook by itself", async (context) => {
  const isolates = new Isolates(context);
  const code = body(`
    const before = await host.kv.get("count");
    await host.kv.set("count", String(Number(before) + 1));
    return before;`);
  const allow = { kv: true };
  const one = isolates.open("one", code, { allow });
  assert.equal((await one.run())?.message, null);
  assert.equal((await one.run())?.message, "1");
  await one.handler.close();
  assert.equal((await isolates.open("one", code, { allow }).run())?.message, "2", "it outlives the isolate");
  assert.equal((await isolates.open("two", code, { allow }).run())?.message, null);
  const rows = isolates.database.prepare("SELECT hook, key, value FROM hook_values ORDER BY hook").all();
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [
      { hook: "one", key: "count", value: "3" },
      { hook: "two", key: "count", value: "1" },
    ],
  );
  const deletes = body(
    `return [await host.kv.delete("count"), await host.kv.delete("count"), await host.kv.get("count")];`,
  );
  assert.deepEqual((await isolates.open("two", deletes, { allow }).run())?.message, [true, false, null]);
});

test("host.kv belongs to the folder, whatever the hook is called", async (context) => {
  const isolates = new Isolates(context);
  const allow = { kv: true };
  const open = (name: string, directory: string, code: string) => isolates.open(name, body(code), { allow, directory });
  const read = `return host.kv.get("key");`;
  await open("mine", "first", `await host.kv.set("key", "secret");`).run();
  assert.equal((await open("mine", "second", read).run())?.message, null, "another folder takes the name");
  assert.equal((await open("first", "second", read).run())?.message, null, "or the folder's");
  assert.equal((await open("renamed", "first", read).run())?.message, "secret");
});

test("host.kv refuses values that are too large or not strings", async (context) => {
  const isolates = new Isolates(context);
  const attempt = (call: string) => `await host.kv.${call}.catch((error) => error.message)`;
  const code = body(`return [
    ${attempt(`set("key", 5)`)},
    ${attempt(`set(null, "value")`)},
    ${attempt(`get({})`)},
    ${attempt(`set("k".repeat(300), "value")`)},
    ${attempt(`set("key", "é".repeat(40_000))`)},
    ${attempt(`set("key", "x".repeat(70_000))`)},
  ];`);
  const hook = isolates.open("greedy", code, { allow: { kv: true } });
  assert.deepEqual((await hook.run())?.message, [
    "host.kv expects strings; the value is of type number",
    "host.kv expects strings; the key is of type object",
    "host.kv expects strings; the key is of type object",
    "the key is longer than 256 bytes",
    "the value is longer than 65536 bytes",
    "the value is longer than 65536 characters",
  ]);
});

test("the store is bounded for each hook", (context) => {
  const isolates = new Isolates(context);
  const values = createHookValues(() => isolates.database);
  for (let index = 0; index < 1000; index++) values.set("many", `key ${index}`, "value");
  assert.throws(() => values.set("many", "one more", "value"), /at most 1000 keys/);
  values.set("many", "key 5", "another");
  values.delete("many", "key 6");
  values.set("many", "one more", "value");
  for (let index = 0; index < 15; index++) values.set("large", `key ${index}`, "x".repeat(65_536));
  assert.throws(() => values.set("large", "the last", "x".repeat(65_536)), /at most 1048576 bytes/);
  values.set("large", "key 5", "y".repeat(65_536));
  values.set("other", "key", "value");
  assert.equal(values.get("other", "key"), "value");
});

test("a store that fails is an error of the call", async (context) => {
  const isolates = new Isolates(context);
  const code = body(`return host.kv.set("key", "value").catch((error) => error.message);`);
  const hook = isolates.open("keeps", code, { allow: { kv: true } });
  assert.equal((await hook.run())?.message, undefined);
  isolates.database.close();
  assert.match(String((await hook.run())?.message), /database is not open/);
});

test("timers work while a run does, and an error in one is a stray", async (context) => {
  const isolates = new Isolates(context);
  const hook = isolates.open(
    "timers",
    body(`
      const order = [];
      const cleared = setTimeout(() => order.push("cleared"), 5);
      clearTimeout(cleared);
      setTimeout((word, more) => order.push(word + more), 20, "second", "!");
      setTimeout(() => order.push("first"), 1);
      setTimeout(() => { throw new Error("in a timer"); }, 1);
      await new Promise((wake) => setTimeout(wake, 60));
      return order;`),
  );
  assert.deepEqual((await hook.run())?.message, ["first", "second!"]);
  assert.match(hook.strays.join("\n"), /^threw outside its calls: in a timer \(handler\.ts:\d+:\d+\)$/);
});
