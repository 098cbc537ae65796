import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { MOST_FRAME_BYTES, writeFrames } from "#core/forward/wire-frames";
import type { QueuedEvent } from "#core/forward/queued-event";
import { createRedactor } from "#core/home/redact";
import type { EventContext } from "#core/registry";
import { isSecretName } from "#core/secret-names";

const MIB = 1024 * 1024;
const same = (text: string) => text;

interface Frame {
  readonly event_type: string;
  readonly context: Record<string, unknown>;
  readonly src: string;
}

/** The frames of these events, all written together. */
function write(events: readonly Omit<QueuedEvent, "number">[], redact = same) {
  const rest = events.map((event, number) => ({ ...event, number }));
  const most = { frames: 256, characters: Number.POSITIVE_INFINITY };
  const written = writeFrames(() => rest.shift(), most, { src: "test", redact });
  const frames = JSON.parse(`[${written.text}]`) as Frame[];
  assert.equal(frames.length, written.frames);
  assert.equal(Buffer.byteLength(written.text), written.bytes);
  return { ...written, list: frames };
}

/** The context of one event, as a dashboard reads it. */
function contextOf(context: unknown, redact = same): Record<string, unknown> {
  const { list } = write([{ event_type: "a:b", context: context as EventContext }], redact);
  return list[0]!.context;
}

test("a frame is the event's name, its context and who sends it", () => {
  const { list } = write([
    { event_type: "agent:start", context: { platform: "cli", deep: { list: [1, null, true] } } },
  ]);
  assert.deepEqual(list, [
    { event_type: "agent:start", context: { platform: "cli", deep: { list: [1, null, true] } }, src: "test" },
  ]);
});

/** The keys at every depth. */
function keysOf(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
}

test("whatever JSON can hold arrives as JSON.stringify would have it", () => {
  fc.assert(
    fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), { maxLength: 20 }), (contexts) => {
      const { list } = write(contexts.map((context) => ({ event_type: "a:b", context })));
      const expected = JSON.parse(JSON.stringify(contexts)) as unknown[];
      // Named like secrets, they are masked.
      const free = (text: string) => !/key|token|secret|passw|passphrase|credential|authorization|cookie/i.test(text);
      for (const [index, context] of expected.entries()) {
        if (free(JSON.stringify(context)) && keysOf(context).every((key) => !isSecretName(key)))
          assert.deepEqual(list[index]!.context, context);
      }
    }),
  );
});

test("a value that JSON cannot hold loses itself, never the frame or its neighbours", () => {
  const circular: Record<string, unknown> = { name: "loop" };
  circular["self"] = { again: circular };
  const hostile = {
    bigint: 12n,
    huge: 10n ** 500n,
    circular,
    function: () => 1,
    symbol: Symbol("s"),
    nothing: undefined,
    not_a_number: Number.NaN,
    date: new Date("2026-11-21T09:00:00Z"),
    bad_date: new Date(Number.NaN),
    toJSON: "not a function",
    replaced: { toJSON: () => ({ kept: 1 }) },
    itself: {
      kept: 2,
      toJSON() {
        return this;
      },
    },
    throws: { toJSON: () => assert.fail("toJSON") },
    getter: Object.defineProperty({ kept: 3 }, "bad", { enumerable: true, get: () => assert.fail("getter") }),
    proxy: new Proxy({}, { ownKeys: () => assert.fail("ownKeys") }),
    revoked: revokedProxy(),
    bytes: new Uint8Array(1000),
    map: new Map([[1, 2]]),
    error: new TypeError("it broke"),
    list: [1n, () => 1, undefined, "kept"],
    last: "kept",
  };
  assert.deepEqual(contextOf(hostile), {
    bigint: "12",
    huge: "[big integer]",
    circular: { name: "loop", self: { again: "[circular]" } },
    not_a_number: null,
    date: "2026-11-21T09:00:00.000Z",
    bad_date: null,
    toJSON: "not a function",
    replaced: { kept: 1 },
    itself: { kept: 2 },
    throws: "[unreadable]",
    getter: { kept: 3, bad: "[unreadable]" },
    proxy: "[unreadable]",
    revoked: "[unreadable]",
    bytes: "[1000 bytes]",
    map: {},
    error: "it broke",
    list: ["1", null, null, "kept"],
    last: "kept",
  });
});

function revokedProxy(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

test("a getter that changes its mind between two looks costs only itself", () => {
  let looks = 0;
  const context = Object.defineProperty({ kept: true }, "moody", {
    enumerable: true,
    get: () => (looks++ === 0 ? 1 : 2n),
  });
  assert.deepEqual(contextOf(context), { kept: true, moody: "2" });
});

test("a context that is not an object becomes an empty one", () => {
  for (const context of ["text", 5, [1], null]) assert.deepEqual(contextOf(context), {});
  assert.deepEqual(contextOf(revokedProxy()), {});
});

test("keys named __proto__ and constructor are keys like any other", () => {
  const context = JSON.parse('{"__proto__":{"a":1},"constructor":{"prototype":{"b":2}},"n":3}') as object;
  const careful = Object.defineProperty(context, "c", { value: 1n, enumerable: true });
  const { text } = write([{ event_type: "__proto__", context: careful as EventContext }]);
  assert.ok(text.includes('"context":{"__proto__":{"a":1},"constructor":{"prototype":{"b":2}},"n":3,"c":"1"}'));
});

test("nesting of any depth neither fails nor loses what is above it", () => {
  let deep: unknown = "bottom";
  for (let level = 0; level < 100_000; level++) deep = level % 2 === 0 ? [deep] : { deep };
  const { kept, value } = contextOf({ kept: 1, value: deep });
  assert.equal(kept, 1);
  assert.ok(JSON.stringify(value).includes("[too deep]"));
});

test("events without a name, or with one far too long, are left out and counted", () => {
  const names = ["", "x".repeat(MIB), "x".repeat(256), 5 as never, "a:b"];
  const { list, lost } = write(names.map((event_type) => ({ event_type, context: {} })));
  assert.deepEqual(
    list.map(({ event_type }) => event_type.length),
    [256, 3],
  );
  assert.equal(lost, 3);
});

test("a frame is never larger than its limit, whatever the context; what is shortened says so", () => {
  const long = "x".repeat(10 * MIB);
  const contexts: Record<string, unknown>[] = [
    { first: 1, text: long, last: 2 },
    { first: 1, text: "\u0001".repeat(10 * MIB) },
    { first: 1, text: "語".repeat(5 * MIB) },
    { first: 1, text: "\u0001".repeat(100_000) },
    { first: 1, list: Array<string>(MIB).fill("entry") },
    { first: 1, ...Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`name_${index}`, index])) },
    { first: 1, list: Array.from({ length: 200 }, () => "語".repeat(2000)) },
  ];
  for (const context of contexts) {
    const { text, list } = write([{ event_type: "a:b", context }]);
    assert.ok(Buffer.byteLength(text) <= MOST_FRAME_BYTES, `${Buffer.byteLength(text)}`);
    assert.equal(list[0]!.context["first"], 1);
    assert.match(text, /… \(\d+ more characters\)|… \(\d+ more\)|"…":"\(\d+ more\)"/);
  }
});

test("writing takes about as many characters as it may, however large the events are", () => {
  const events = Array.from({ length: 50 }, (_, n) => ({
    event_type: "a:b",
    context: { n, text: "x".repeat(40_000) },
    number: n,
  }));
  const most = { frames: 256, characters: 100_000 };
  const { frames } = writeFrames(() => events.shift(), most, { src: "test", redact: same });
  assert.equal(frames, 3);
  assert.equal(events.length, 47);
});

test("10 MB are looked at no further than the limit goes", () => {
  let reads = 0;
  const list = new Proxy(Array<string>(500_000).fill("x".repeat(20)), {
    get(target, key, receiver) {
      reads++;
      return Reflect.get(target, key, receiver) as unknown;
    },
  });
  contextOf({ list });
  assert.ok(reads < 100_000, `${reads} reads`);
});

test("secrets leave neither by their form nor by the name of their key; session_key is none", () => {
  const key = `sk-${"a1B2".repeat(6)}`;
  const redact = createRedactor({ DEPLOY_TOKEN: 'he said "open\nsesame"' });
  const context = {
    session_key: "agent:main:api_server:dm:me",
    payload: {
      params: {
        api_key: "short",
        password: "hunter2",
        token: ["a", "b"],
        key: "",
        note: `line\n${key}`,
        count_token: 5,
        apiKey: "hunter2",
        secrets: { here: "hunter2", there: [{ too: "hunter2" }] },
        headers: { "X-Api-Key": "hunter2", Authorization: "Basic hunter2", "set-cookie": "hunter2" },
      },
      content: JSON.stringify({ output: `export A=1\n${key}`, deep: 'he said "open\nsesame"' }),
      [key]: "under its own name",
    },
    quoted: 'x he said "open\nsesame" y',
    big: 5n,
  };
  for (const extra of [{}, { plain: true }]) {
    const { big: _big, ...plain } = { ...context, ...extra };
    for (const given of [context, plain]) {
      const { text } = write([{ event_type: "a:b", context: given }], redact);
      assert.doesNotMatch(text, /a1B2|hunter2|sesame|"short"|"a"/);
      assert.ok(text.includes('"session_key":"agent:main:api_server:dm:me"'));
      assert.ok(text.includes('"count_token":5') && text.includes('"key":""'));
    }
  }
});

test("a secret that JSON escapes is found by any redactor, and the frames beside it stay as they are", () => {
  for (const secret of ['pass"word', "pass\nword", "pass\\word", "pass\u0007word", "pass/wörd"]) {
    const redact = (text: string) => text.replaceAll(secret, "[gone]");
    const { list } = write(
      [
        { event_type: "a:b", context: { text: 'quoted "text"\n' } },
        { event_type: "a:b", context: { text: `x ${secret} y` } },
      ],
      redact,
    );
    assert.deepEqual(
      list.map(({ context }) => context["text"]),
      ['quoted "text"\n', "x [gone] y"],
    );
  }
});

test("a secret at the place where a text is cut does not stay behind in part", () => {
  const secret = "s3cr3t-".repeat(20);
  for (const length of [32_700, 32_767, 32_768, 32_760]) {
    const text = `${"x".repeat(length)}${secret}${"y".repeat(MIB)}`;
    const { text: sent } = contextOf({ text }, (value) => value.replaceAll(secret, "[gone]"));
    assert.doesNotMatch(String(sent), /s3cr3t/);
  }
});

test("masking never breaks the JSON, whatever looks like a secret in it", () => {
  const redact = createRedactor({});
  const texts = [
    "http://x:80",
    "a@b",
    "password: [1,2,3]",
    "Bearer abcdefghij",
    "--token x",
    "{",
    "api_key=true",
    "A_KEY=1",
  ];
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.constantFrom("password", "api_key", "url", "mail", "a"),
        fc.anything({ values: [fc.constantFrom(...texts), fc.integer(), fc.boolean()] }),
      ),
      (context) => {
        const { list } = write(
          [
            { event_type: "a:b", context },
            { event_type: "c:d", context: { n: 1 } },
          ],
          redact,
        );
        assert.deepEqual(list[1], { event_type: "c:d", context: { n: 1 }, src: "test" });
      },
    ),
  );
});
