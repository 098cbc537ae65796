import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { DeltaBuffer } from "#core/forward/delta-buffer";
import type { QueuedEvent } from "#core/forward/queue";
import { createRedactor } from "#core/home/redact";
import { until } from "../../helpers/poll.ts";

const PASSPHRASE = "correct horse battery staple";
const redact = createRedactor({ DB_PASSWORD: PASSPHRASE, SOME_TOKEN: "envsecretvalue1" });

const delta = (text: string, session_id: unknown = "s"): QueuedEvent => ({
  event_type: "tui:message.delta",
  context: { session_id, payload: { text } },
});
const reasoning = (text: string): QueuedEvent => ({ ...delta(text), event_type: "tui:reasoning.delta" });
const other = (event_type: string, session_id = "s"): QueuedEvent => ({ event_type, context: { session_id } });

function deltas(onReady: () => void = () => undefined) {
  const made = new DeltaBuffer({ redact, settledLength: redact.settledLength, onReady });
  let passed: QueuedEvent[] = [];
  const put = (event: QueuedEvent) => {
    const atOnce = made.pass(event);
    if (atOnce !== undefined) passed.push(atOnce);
    for (let ready = made.take(); ready !== undefined; ready = made.take()) passed.push(ready);
  };
  const takeAll = () => {
    const taken = passed;
    passed = [];
    for (let ready = made.take(); ready !== undefined; ready = made.take()) taken.push(ready);
    return taken;
  };
  return { made, put, takeAll };
}

const textOf = ({ context }: QueuedEvent) => (context["payload"] as { text: string }).text;
const joined = (events: readonly QueuedEvent[]) => events.map(textOf).join("");

/** What a model may write, secrets of every kind in it. */
const ANSWERS = [
  "Your key is sk-a1B2c3D4e5F6g7H8i9J0, keep it safe.",
  "ghp_abcdefghijklmnopqrstuvwxyz0123 and github_pat_abcdefghijklmnopqrstuvwxyz are tokens",
  "bot 123456789:AAabcdefghijklmnopqrstuvwxyz0123456 of 2026, 10 o'clock",
  "AKIAABCDEFGHIJKLMNOP\nAIzaabcdefghijklmnopqrstuvwxyz01234\nxoxb-1234567890-abc",
  "a token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P for you",
  "send Authorization: Bearer hunter2hunter2 with it",
  'write {"api_key": "hunter2hunter2", "password" : "hunter2hunter2"} there',
  "export MY_TOKEN=hunter2hunter2; run tool --api-key hunter2hunter2 --secret=hunter2hunter2 now",
  "postgres://me:hunter2hunter2@host/db is the address",
  `it is ${PASSPHRASE}, or envsecretvalue1`,
  "é è 日本語envsecretvalue1日本語 привет envsecretvalue1",
];

test("a secret that is written in pieces is found, whatever the pieces are", () => {
  const cases = fc.tuple(fc.constantFrom(...ANSWERS), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 60 }));
  fc.assert(
    fc.property(cases, ([answer, lengths]) => {
      const { put, takeAll } = deltas();
      const taken: QueuedEvent[] = [];
      let pieces = 0;
      for (let at = 0; at < answer.length; pieces++) {
        const length = lengths[pieces % lengths.length]!;
        put(delta(answer.slice(at, at + length)));
        taken.push(...takeAll());
        at += length;
      }
      put(other("tui:message.complete"));
      taken.push(...takeAll());
      assert.equal(taken.pop()!.event_type, "tui:message.complete");
      assert.equal(taken.length, pieces, "each piece stays an event");
      assert.equal(joined(taken), redact(answer));
    }),
    { numRuns: 3000 },
  );
});

test("pieces that cannot be part of a secret do not wait, and stay as they are", () => {
  const { put, takeAll } = deltas();
  for (const text of ["Hello", " there,", " how do you do!", "\n", "日本語", "🎉 ", "jumps over", "привет"]) {
    const event = delta(text);
    put(event);
    assert.deepEqual(takeAll(), [event], text);
  }
});

test("what waited goes in its order, before whatever else happens in the session", () => {
  const { put, takeAll } = deltas();
  const events = [delta("the year 20"), delta("26"), other("tui:tool.start"), delta("x-"), other("agent:end")];
  for (const event of events) put(event);
  assert.deepEqual(takeAll(), events);
});

test("in a long line only its last words wait", () => {
  const { put, takeAll } = deltas();
  for (let n = 0; n < 50; n++) put(delta(` "k${n}": "v${n}",`));
  assert.ok(takeAll().length > 40);
});

test("sessions do not wait for each other", () => {
  const { put, takeAll } = deltas();
  put(delta("a secret: envsec", "one"));
  put(delta("hello there ", "two"));
  put(other("agent:end", "two"));
  assert.deepEqual(
    takeAll().map(({ context }) => context["session_id"]),
    ["two", "two"],
  );
  put(delta("retvalue1, you know", "one"));
  assert.equal(joined(takeAll()), "a secret: [redacted], you know");
});

test("a piece that nothing follows waits for a moment only", async () => {
  let ready = 0;
  const { made, put, takeAll } = deltas(() => ready++);
  put(delta("the year 20"));
  assert.deepEqual(takeAll(), []);
  await until(() => ready > 0, "the piece to be ready");
  assert.equal(joined(takeAll()), "the year 20");
  assert.equal(made.holding, false);
});

test("a word without an end does not wait for ever, nor do sessions without number", () => {
  const { made, put, takeAll } = deltas();
  for (let n = 0; n < 1000; n++) put(delta("x".repeat(10)));
  assert.ok(takeAll().length > 500);
  for (let n = 0; n < 1000; n++) put(delta("20", `session ${n}`));
  assert.ok(takeAll().length >= 700);
  const left = made.clear();
  assert.ok(left > 0 && left < 1000);
  assert.deepEqual(takeAll(), []);
});

test("events that are not text deltas pass, however odd they are", () => {
  const { put, takeAll } = deltas();
  const thrower = {
    get session_id(): never {
      throw new Error("no");
    },
  };
  const odd: QueuedEvent[] = [
    { event_type: "tui:message.delta", context: thrower },
    { event_type: "tui:message.delta", context: {} },
    { event_type: "tui:message.delta", context: { session_id: "s", payload: null } },
    { event_type: "tui:message.delta", context: { session_id: "s", payload: { text: 7 } } },
    delta("sk-", 7),
    other("agent:step"),
  ];
  for (const event of odd) put(event);
  assert.deepEqual(takeAll(), odd);
});

test("reasoning is masked like an answer, and apart from it", () => {
  const { put, takeAll, made } = deltas();
  for (const piece of ["the key is sk-a1B2c3D4", "e5F6g7H8i9J0", " and "]) put(reasoning(piece));
  const reasoned = takeAll();
  assert.doesNotMatch(joined(reasoned), /a1B2c3D4|i9J0/);
  put(reasoning("a word sk-a1B2"));
  put(delta("c3D4e5F6g7H8i9J0 is said"));
  made.letGo();
  assert.deepEqual(
    takeAll().map((event) => [event.event_type, textOf(event)]),
    [
      ["tui:reasoning.delta", "a word sk-a1B2"],
      ["tui:message.delta", "c3D4e5F6g7H8i9J0 is said"],
    ],
  );
});
