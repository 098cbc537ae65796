import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { runInNewContext } from "node:vm";
import { get_default_registry, HookRegistry, install_as_default } from "#core/registry";

function fixture() {
  const reports: string[] = [];
  return { registry: new HookRegistry((sentence) => reports.push(sentence)), reports };
}

/** Lets promises that are settled by now be seen to. */
const aMoment = () => new Promise((resolve) => setImmediate(resolve));

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
  assert.deepEqual(await registry.emit_collect("a"), []);
});

test("names of Object.prototype are ordinary event names", async () => {
  const { registry } = fixture();
  const seen: string[] = [];
  registry.register("__proto__:*", (event) => seen.push(event));
  registry.register("constructor", (event) => seen.push(event));
  for (const event of ["__proto__:x", "constructor", "toString", "__proto__", ""]) registry.emit_sync(event);
  assert.deepEqual(seen, ["__proto__:x", "constructor"]);
});

test("every way to emit gives handlers an empty context when there is none", async () => {
  const { registry } = fixture();
  const seen: unknown[] = [];
  registry.register("a:b", (_event, context) => void seen.push(context));
  registry.emit_sync("a:b");
  registry.emit_sync("a:b", null);
  await registry.emit("a:b");
  await registry.emit_collect("a:b", null);
  assert.deepEqual(seen, [{}, {}, {}, {}]);
  assert.equal(new Set(seen).size, 4);
});

test("every value but null and undefined is an answer", async () => {
  const { registry } = fixture();
  for (const answer of [null, undefined, 0, "", false]) registry.register("a:b", () => answer);
  registry.register("a:b", async () => "later");
  assert.deepEqual(await registry.emit_collect("a:b"), [0, "", false, "later"]);
});

test("a handler that throws or rejects is reported by name and passed over", async () => {
  const { registry, reports } = fixture();
  const ran: string[] = [];
  registry.register("a:b", () => assert.fail("thrown"), { name: "bad" });
  registry.register("a:b", () => Promise.reject(new Error("rejected")), { name: "worse" });
  registry.register("a:b", () => ran.push("good"));
  await registry.emit("a:b");
  await registry.emit_collect("a:b");
  registry.emit_sync("a:b");
  await aMoment();
  assert.equal(ran.length, 3);
  assert.equal(reports.length, 6);
  assert.ok(reports.every((sentence) => /"(bad|worse)" failed at a:b: (thrown|rejected)/.test(sentence)));
});

test("whatever a handler throws, and a reporter that throws, never reach the publisher", async () => {
  const thrown = [
    null,
    undefined,
    "text",
    0n,
    Symbol("s"),
    Object.create(null),
    new Proxy({}, { get: () => assert.fail() }),
  ];
  const { registry, reports } = fixture();
  for (const value of thrown) {
    registry.register("a:b", () => {
      throw value;
    });
  }
  registry.register("a:b", () => Object.defineProperty({}, "then", { get: () => assert.fail("then") }));
  registry.emit_sync("a:b");
  await registry.emit("a:b");
  assert.equal(reports.length, 2 * thrown.length + 2);

  const broken = new HookRegistry(() => assert.fail("the reporter"));
  broken.register("a:b", () => assert.fail("the handler"));
  broken.emit_sync("a:b");
  await broken.emit("a:b");
});

test("promises of other realms and libraries are recognised by their shape", async () => {
  const { registry, reports } = fixture();
  const order: string[] = [];
  registry.register("a:b", () => runInNewContext("Promise.reject(new Error('elsewhere'))") as unknown, {
    name: "realm",
  });
  registry.register("a:b", () => ({
    then(resolve: (value: unknown) => void) {
      setImmediate(() => {
        order.push("waited");
        resolve(null);
      });
    },
  }));
  registry.register("a:b", () => order.push("after"));
  await registry.emit("a:b");
  assert.deepEqual(order, ["waited", "after"]);
  registry.emit_sync("a:b");
  await aMoment();
  await aMoment();
  assert.deepEqual(
    reports.map((sentence) => sentence.includes('"realm" failed at a:b: elsewhere')),
    [true, true],
  );
});

test("emit waits for each promise before the next handler, and for nothing when there is none", async () => {
  const { registry } = fixture();
  const order: string[] = [];
  registry.register("a:b", async () => {
    await aMoment();
    order.push("slow");
  });
  registry.register("a:b", () => order.push("next"));
  registry.register("c:d", () => order.push("at once"));
  const waiting = registry.emit("a:b");
  void registry.emit("c:d");
  assert.deepEqual(order, ["at once"]);
  await waiting;
  assert.deepEqual(order, ["at once", "slow", "next"]);
});

test("emit_sync runs an asynchronous handler without waiting for it", async () => {
  const { registry } = fixture();
  const ran: string[] = [];
  registry.register("a:b", async () => {
    ran.push("begun");
    await aMoment();
    ran.push("ended");
  });
  registry.emit_sync("a:b");
  assert.deepEqual(ran, ["begun"]);
  await aMoment();
  await aMoment();
  assert.deepEqual(ran, ["begun", "ended"]);
});

test("a handler taken away does not run again, and unregistering twice is harmless", async () => {
  const { registry } = fixture();
  const ran: string[] = [];
  const handler = () => ran.push("same");
  const undo = registry.register("a:b", handler);
  registry.register("a:b", handler);
  registry.register("a:b", () => ran.push("other"));
  registry.emit_sync("a:b");
  undo();
  undo();
  await registry.emit("a:b");
  assert.deepEqual(ran, ["same", "same", "other", "same", "other"]);
});

test("what is registered is listed, programs one by one, a hook with a folder once with all its events", () => {
  const { registry } = fixture();
  function named() {}
  const hook = { name: "audit", description: "Writes it down", path: "/home/hooks/audit" };
  registry.register("tui:tool.start", named);
  registry.register("agent:start", named, hook);
  const undo = registry.register("agent:end", named, hook);
  registry.register("agent:end", () => undefined, { name: "orb" });
  const programmatic = { description: "(registered programmatically)", path: "<programmatic>" };
  const [first, last] = [
    { name: "named", events: ["tui:tool.start"], ...programmatic },
    { name: "orb", events: ["agent:end"], ...programmatic },
  ];
  assert.deepEqual(registry.loaded_hooks, [first, { ...hook, events: ["agent:start", "agent:end"] }, last]);
  undo();
  assert.deepEqual(registry.loaded_hooks, [first, { ...hook, events: ["agent:start"] }, last]);
});

test("an emission runs the handlers that it began with, whatever they register and take away", async () => {
  for (const way of ["emit", "emit_sync", "emit_collect"] as const) {
    const { registry } = fixture();
    const ran: string[] = [];
    const undo = registry.register("a:b", () => {
      ran.push("first");
      undo();
      undoSecond();
      registry.register("a:b", () => ran.push("new"));
    });
    const undoSecond = registry.register("a:b", () => ran.push("second"));
    await registry[way]("a:b");
    assert.deepEqual(ran, ["first", "second"], way);
    await registry[way]("a:b");
    assert.deepEqual(ran, ["first", "second", "new"], way);
  }
});

test("a handler that endlessly emits its own event is stopped and reported", async () => {
  const { registry, reports } = fixture();
  registry.register("a:b", () => registry.emit_sync("a:b"), { name: "again" });
  registry.emit_sync("a:b");
  await aMoment();
  assert.match(reports[0]!, /"again" failed at a:b: Maximum call stack/);
});

test("what listens is seen at once, however many names were asked for", () => {
  const { registry } = fixture();
  for (let number = 0; number < 5000; number++) assert.equal(registry.listens(`a:${number}`), false);
  const undo = registry.register("a:*", () => undefined);
  assert.equal(registry.listens("a:1"), true);
  assert.equal(registry.listens("b:1"), false);
  undo();
  assert.equal(registry.listens("a:1"), false);
});

/** What a handler may do, by name; `mark` notes that it ran. */
const BEHAVIOURS: Record<string, (mark: () => void) => unknown> = {
  nothing: (mark) => mark(),
  answer: (mark) => (mark(), "an answer"),
  throw: (mark) => {
    mark();
    throw new Error("thrown");
  },
  reject: (mark) => (mark(), Promise.reject(new Error("rejected"))),
  getter: (mark) => {
    mark();
    return {
      get then() {
        throw new Error("hostile");
      },
    };
  },
};

test("a frequent event is emitted as a rare one is, whatever its handlers do", async () => {
  const behaviour = fc.constantFrom(...Object.keys(BEHAVIOURS));
  await fc.assert(
    fc.asyncProperty(fc.array(behaviour, { maxLength: 18 }), async (names) => {
      const { registry, reports } = fixture();
      let isFrequent = false;
      const ran: string[] = [];
      names.forEach((name, index) => {
        const behave = BEHAVIOURS[name]!;
        const handler = (event: string, context: object) =>
          isFrequent ? behave(() => ran.push(`${index} ${event} ${Object.keys(context).join()}`)) : undefined;
        registry.register("a:b", handler, { name: String(index) });
      });
      const emitOnce = async () => {
        isFrequent = true;
        registry.emit_sync("a:b", { key: 1 });
        isFrequent = false;
        await aMoment();
        return [ran.splice(0), reports.splice(0)];
      };
      const rare = await emitOnce();
      for (let emission = 0; emission < 1000; emission++) registry.emit_sync("a:b");
      assert.deepEqual(await emitOnce(), rare);
      assert.equal(rare[0]?.length, names.length);
    }),
    { numRuns: 50 },
  );
});

test("a handler of a frequent event that takes another one away changes the next emission only", () => {
  const { registry } = fixture();
  const seen: string[] = [];
  let leaves = false;
  registry.register("a:b", () => {
    if (leaves) undo();
  });
  const undo = registry.register("a:b", () => void (leaves && seen.push("second")));
  for (let emission = 0; emission < 2000; emission++) registry.emit_sync("a:b");
  leaves = true;
  registry.emit_sync("a:b");
  registry.emit_sync("a:b");
  assert.deepEqual(seen, ["second"]);
});

test("a handler must be a function", () => {
  const { registry } = fixture();
  assert.throws(() => registry.register("a:b", "no" as never), /the handler for a:b is no function/);
});

test("the default registry is one, until another is installed", () => {
  const before = get_default_registry();
  assert.equal(get_default_registry(), before);
  const own = new HookRegistry();
  const seen: string[] = [];
  try {
    install_as_default(own);
    get_default_registry().register("agent:x", (event) => seen.push(event));
    own.emit_sync("agent:x");
  } finally {
    install_as_default(before);
  }
  assert.deepEqual(seen, ["agent:x"]);
});
