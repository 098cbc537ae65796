import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { EVENT_NAMES, EVENTS, type EventName, type Payload } from "#core/events";
import { createFiring } from "#core/firing";
import { HERMES_WIRE } from "#sandbox/shell/protocols/hermes-codec";
import { stringify } from "#core/stringify";

const entry = { protocolEvent: null };
const place = { cwd: "/work", home: "/home/me/.hermes", env: {} };

const documentOf = (event: EventName, payload: object) =>
  JSON.parse(HERMES_WIRE.document(createFiring(event, payload as Payload<EventName>), place, entry)) as Record<
    string,
    unknown
  >;

test("a tool call's document has the contract's keys in its order", () => {
  const payload = { ...EVENTS.pre_tool_call.sample(), task_id: "t" };
  const document = documentOf("pre_tool_call", payload);
  const keys = ["hook_event_name", "tool_name", "tool_input", "session_id", "cwd", "extra"];
  assert.deepEqual(Object.keys(document), keys);
  assert.deepEqual(document, {
    hook_event_name: "pre_tool_call",
    tool_name: "terminal",
    tool_input: { command: "echo hello" },
    session_id: "sess_sample",
    cwd: "/work",
    extra: { task_id: "t", tool_call_id: "call_sample" },
  });
});

test("every event's sample goes through; only tool events have a tool", () => {
  for (const event of EVENT_NAMES) {
    const document = documentOf(event, EVENTS[event].sample());
    assert.equal(document["hook_event_name"], event);
    assert.equal(document["tool_name"] === null, !("tool" in EVENTS[event]));
    for (const key of ["tool_name", "args", "session_id", "parent_session_id"]) {
      assert.equal(key in (document["extra"] as object), false, `${event}: ${key} again in extra`);
    }
  }
});

test("session_id falls back to parent_session_id, then to an empty string", () => {
  assert.equal(documentOf("subagent_stop", { parent_session_id: "p" })["session_id"], "p");
  assert.equal(documentOf("on_session_finalize", { session_id: null, platform: "cli" })["session_id"], "");
});

test("live fields stay in the process", () => {
  const payload = { ...EVENTS.pre_gateway_dispatch.sample(), gateway: { secret: 1 }, session_store: {} };
  assert.deepEqual(Object.keys(documentOf("pre_gateway_dispatch", payload)["extra"] as object), ["event"]);
});

test("the document is made once for a firing", () => {
  let reads = 0;
  const args = {
    get command() {
      reads++;
      return "x";
    },
  };
  const firing = createFiring("pre_tool_call", { ...EVENTS.pre_tool_call.sample(), args });
  assert.equal(HERMES_WIRE.document(firing, place, entry), HERMES_WIRE.document(firing, place, entry));
  assert.equal(reads, 1);
});

test("values that JSON cannot hold become strings", () => {
  const cycle: Record<string, unknown> = { name: "me" };
  cycle["self"] = cycle;
  const hostile = {
    get thrower(): never {
      throw new Error("no");
    },
    cycle,
    when: new Date(0),
  };
  assert.deepEqual(
    JSON.parse(
      stringify({
        big: 10n,
        nothing: undefined,
        run: test,
        sign: Symbol("s"),
        nan: NaN,
        map: new Map(),
        error: new Error("e"),
      }),
    ),
    {
      big: "10",
      nothing: "undefined",
      run: "[function test]",
      sign: "Symbol(s)",
      nan: "NaN",
      map: "[object Map]",
      error: "Error: e",
    },
  );
  assert.deepEqual(JSON.parse(stringify(hostile)), {
    thrower: "Error: no",
    cycle: { name: "me", self: "[circular]" },
    when: "1970-01-01T00:00:00.000Z",
  });
  let deep: unknown = "bottom";
  for (let level = 0; level < 50_000; level++) deep = [deep];
  assert.match(stringify({ deep }), /nested too deep/);
});

test("anything gives a JSON document", () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true }), (value) => {
      JSON.parse(stringify({ value }));
    }),
  );
});
