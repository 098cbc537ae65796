import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { DeltaBuffer } from "#core/forward/delta-buffer";
import type { QueuedEvent } from "#core/forward/queued-event";
import { createRedactor } from "#core/home/redact";
import { until } from "../../helpers/poll.ts";

const PASSPHRASE = "correct horse battery staple";
const redact = createRedactor({ DB_PASSWORD: PASSPHRASE, SOME_TOKEN: "envsecretvalue1" });

const delta = (text: string, session_id: unknown = "s"): QueuedEvent => ({
  event_type: "tui:message.delta",
  context: { session_id, payload: { text } },
  number: 0,
});
const reasoning = (text: string): QueuedEvent => ({ ...delta(text), event_type: "tui:reasoning.delta" });
const other = (event_type: string, session_id = "s"): QueuedEvent => ({
  event_type,
  context: { session_id },
  number: 0,
});

function deltas(onReady: () => void = () => undefined) {
  const made = new DeltaBuffer({ redact, unfinished: redact.unfinished, onReady });
  let passed: QueuedEvent[] = [];
  const takeAll = () => {
    const taken = passed;
    passed = [];
    for (let ready = made.take(); ready !== undefined; ready = made.take()) taken.push(ready);
    return taken;
  };
  const put = (event: QueuedEvent) => {
    const atOnce = made.pass(event);
    passed = takeAll();
    if (atOnce !== undefined) passed.push(atOnce);
  };
  return { made, put, takeAll };
}

const textOf = ({ context }: QueuedEvent) => (context["payload"] as { text: string }).text;
const joined = (events: readonly QueuedEvent[]) => events.map(textOf).join("");

/** What a model may write, and the secrets in it: what announces one of them may be shown, its characters may not. */
const ANSWERS: readonly (readonly [answer: string, ...secrets: [announced: string, characters: string][]])[] = [
  ["Your key is sk-a1B2c3D4e5F6g7H8i9J0, keep it safe.", ["sk-", "a1B2c3D4e5F6g7H8i9J0"]],
  [
    "ghp_abcdefghijklmnopqrstuvwxyz0123 and github_pat_abcdefghijklmnopqrstuvwxyz are tokens",
    ["ghp_", "abcdefghijklmnopqrstuvwxyz0123"],
    ["github_pat_", "abcdefghijklmnopqrstuvwxyz"],
  ],
  [
    "bot 123456789:AAabcdefghijklmnopqrstuvwxyzABCDEFG of 2026, 10 o'clock",
    ["123456789:", "AAabcdefghijklmnopqrstuvwxyzABCDEFG"],
  ],
  [
    "AKIAABCDEFGHIJKLMNOP\nAIzaabcdefghijklmnopqrstuvwxyz01234\nxoxb-1234567890-abc",
    ["AKIA", "ABCDEFGHIJKLMNOP"],
    ["AIza", "abcdefghijklmnopqrstuvwxyz01234"],
    ["xoxb-", "1234567890-abc"],
  ],
  [
    "a token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P for you",
    ["eyJhbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"],
  ],
  ["send Authorization: Bearer hunter2hunter2 with it", ["", "hunter2hunter2"]],
  ['write {"api_key": "hunter2hunter2", "password" : "hunter2hunter2"} there', ["", "hunter2hunter2"]],
  ["export MY_TOKEN=hunter2hunter2; run tool --api-key hunter2hunter2 --secret=hunter2hunter2", ["", "hunter2hunter2"]],
  ["postgres://me:hunter2hunter2@host/db is the address", ["", "hunter2hunter2"]],
  [`it is ${PASSPHRASE}, or envsecretvalue1`, ["", PASSPHRASE], ["", "envsecretvalue1"]],
  ["é è 日本語envsecretvalue1日本語 привет envsecretvalue1", ["", "envsecretvalue1"]],
];
const lengthsOfPieces = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 60 });

test("a secret that is written in pieces is masked, whatever the pieces are", () => {
  const cases = fc.tuple(fc.constantFrom(...ANSWERS), lengthsOfPieces, fc.boolean());
  fc.assert(
    fc.property(cases, ([[answer, ...secrets], lengths, isReasoning]) => {
      const { put, takeAll } = deltas();
      const taken: QueuedEvent[] = [];
      const pieces = piecesOf(answer, lengths);
      for (const piece of pieces) {
        put(isReasoning ? reasoning(piece) : delta(piece));
        taken.push(...takeAll());
      }
      put(other("tui:message.complete"));
      taken.push(...takeAll());
      assert.equal(taken.pop()!.event_type, "tui:message.complete");
      assert.equal(taken.length, pieces.length, "each piece stays an event");
      assert.equal(withoutAnnouncement(joined(taken), secrets), redact(answer));
    }),
    { numRuns: 3000 },
  );
});

test("a secret is not shown when other events come between its pieces", () => {
  const cases = fc.tuple(fc.constantFrom(...ANSWERS), lengthsOfPieces, fc.array(fc.nat({ max: 60 })));
  fc.assert(
    fc.property(cases, ([[answer, ...secrets], lengths, interruptions]) => {
      const { put, takeAll } = deltas();
      for (const [index, piece] of piecesOf(answer, lengths).entries()) {
        put(delta(piece));
        if (interruptions.includes(index)) put(other("tui:hook.complete"));
      }
      put(other("agent:end"));
      const shown = joined(takeAll().filter(({ event_type }) => event_type === "tui:message.delta"));
      for (const [, characters] of secrets) {
        for (let at = 0; at + 5 <= characters.length; at++) {
          const part = characters.slice(at, at + 5);
          assert.ok(!shown.includes(part), `${part} of a secret in ${shown}`);
        }
      }
    }),
    { numRuns: 3000 },
  );
});

function piecesOf(text: string, lengths: readonly number[]): readonly string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += pieces.at(-1)!.length)
    pieces.push(text.slice(at, at + lengths[pieces.length % lengths.length]!));
  return pieces;
}

function withoutAnnouncement(text: string, secrets: readonly (readonly [string, string])[]): string {
  let plain = text;
  for (const [announced] of secrets) {
    for (let length = announced.length; length > 0; length--)
      plain = plain.replace(`${announced.slice(0, length)}[redacted]`, "[redacted]");
  }
  return plain;
}

const TEXTS = {
  json: JSON.stringify(
    Array.from({ length: 50 }, (_, id) => ({ id, name: `row ${id}`, key: "a-b", on: id % 2 === 0 })),
  ),
  base64: Buffer.from(Array.from({ length: 1500 }, (_, n) => (n * 7919 + (n >> 3) * 104_729) % 256)).toString("base64"),
  Thai: "แพลตฟอร์มนี้ช่วยให้คุณรันโค้ดของคุณเองในจุดต่างๆของวงจรชีวิตของเอเจนต์".repeat(10),
  prose: "The quick brown fox jumps over the lazy dog; 12 of them, at 10:30! Is that all? ".repeat(10),
};

for (const [kind, text] of Object.entries(TEXTS)) {
  test(`pieces of ${kind} do not wait for more than the next one`, () => {
    const { made, put, takeAll } = deltas();
    const events = piecesOf(text, [3]).map((piece) => delta(piece));
    for (const event of events) {
      put(event);
      assert.ok(made.held <= 2, `${made.held} pieces wait`);
    }
    put(other("tui:message.complete"));
    assert.deepEqual(takeAll().slice(0, -1), events);
  });
}

test("a piece waits 300 ms from its own arrival, whatever follows it", async () => {
  const { promise, resolve } = Promise.withResolvers<"ready">();
  const { put } = deltas(() => resolve("ready"));
  put(delta("password: x"));
  // All that a session may hold arrives in more than a second.
  const rest = Array.from({ length: 60 }, () => delta("x"));
  for (const piece of rest) {
    put(piece);
    if ((await Promise.race([promise, sleep(20)])) === "ready") return;
  }
  assert.fail("the pieces still wait");
});

test("at most 64 pieces of a session wait", () => {
  const { made, put, takeAll } = deltas();
  put(delta("password: "));
  for (let n = 0; n < 200; n++) {
    put(delta("xyzw"));
    assert.ok(made.held <= 64);
  }
  put(delta(" is it"));
  assert.equal(joined(takeAll()), "password: [redacted] is it");
});

test("a header without an end is remembered for as long as a secret may follow", () => {
  const { put, takeAll } = deltas();
  const header = `eyJ${"hbGciOiJIUzI1NiJ9".repeat(30)}.`;
  for (const piece of piecesOf(`${header}eyJzdWIiOiIxMjM0NTY3.dozjgNryP4J3 end`, [3])) put(delta(piece));
  put(other("tui:message.complete"));
  assert.equal(joined(takeAll().slice(0, -1)).replace(header.slice(0, -1), ""), "[redacted] end");
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
  const events = [
    delta("see http://localhost:8"),
    delta("0"),
    other("tui:tool.start"),
    delta("x-"),
    other("agent:end"),
  ];
  for (const event of events) put(event);
  assert.deepEqual(takeAll(), events);
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
  put(delta("it is envs"));
  assert.deepEqual(takeAll(), []);
  await until(() => ready > 0, "the piece to be ready");
  put(delta("ecretvalue1 there"));
  put(other("tui:message.complete"));
  assert.equal(joined(takeAll().slice(0, -1)), "it is [redacted] there");
  assert.equal(made.held, 0);
});

test("the pieces of all sessions are limited in number", () => {
  const { made, put, takeAll } = deltas();
  for (let n = 0; n < 5000; n++) put(delta("password: 20", `session ${n}`));
  assert.ok(made.held <= 1025);
  const taken = takeAll();
  assert.equal(made.clear() + taken.length, 5000);
  assert.deepEqual(takeAll(), []);
});

test("events that are not text deltas pass, however odd they are", () => {
  const { put, takeAll } = deltas();
  const thrower = {
    get session_id(): never {
      throw new Error("no");
    },
  };
  const contexts = [thrower, {}, { session_id: "s", payload: null }, { session_id: "s", payload: { text: 7 } }];
  const odd: QueuedEvent[] = [
    ...contexts.map((context) => ({ event_type: "tui:message.delta", context, number: 0 })),
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
  made.end();
  assert.deepEqual(
    takeAll().map((event) => [event.event_type, textOf(event)]),
    [
      ["tui:reasoning.delta", "a word sk-[redacted]"],
      ["tui:message.delta", "c3D4e5F6g7H8i9J0 is said"],
    ],
  );
});
