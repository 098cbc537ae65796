/** core/event-payloads.ts is what the table of core/events.ts gives, and documents everything that editors show. */
import test from "node:test";
import assert from "node:assert/strict";
import { z } from "zod";
import type { EventPayloads } from "#core/event-payloads";
import { fieldsOf, payloadSchema } from "#core/event-reference";
import { EVENT_NAMES, type EventName, type Payload } from "#core/events";
import { eventTypes } from "../../.ci/event-types.ts";
import { textOf } from "./repository.ts";

test("the committed types are the generated ones", () => {
  const hint = "core/event-payloads.ts is out of date: node .ci/event-types.ts";
  assert.ok(textOf("core/event-payloads.ts") === eventTypes(), hint);
});

test("they are the types of the schemas", () => {
  type Fits<Left, Right> = Left extends Right ? (Right extends Left ? true : false) : false;
  type All = { [Name in EventName]: Fits<Payload<Name>, EventPayloads[Name]> }[EventName];
  const fits: All = true;
  const names: Fits<keyof EventPayloads, EventName> = true;
  assert.ok(fits && names);
});

test("every field of every event says what it is", () => {
  const silent = EVENT_NAMES.flatMap((name) =>
    fieldsOf(payloadSchema(name, z), String)
      .filter(({ sentence }) => sentence === "")
      .map(({ key }) => `${name}.${key}`),
  );
  assert.deepEqual(silent, []);
});
