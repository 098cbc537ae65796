/** docs/events.md is what the table of core/events.ts gives. */
import test from "node:test";
import assert from "node:assert/strict";
import { EVENT_NAMES } from "#core/events";
import { eventsPage } from "../../.ci/events-page.ts";
import { textOf } from "./repository.ts";

test("the committed page is the generated one", () => {
  assert.ok(textOf("docs/events.md") === eventsPage(), "docs/events.md is out of date: node .ci/events-page.ts");
});

test("the page has a section for each event", () => {
  const sections = [...eventsPage().matchAll(/^## (.+)$/gm)].map(([, title]) => title);
  assert.deepEqual(sections, [...EVENT_NAMES]);
});
