/** Any sequence of approvals and revokes keeps the file valid and exact. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { openApprovals } from "#allowlist/approvals";
import { addApprovals, pairKey, readAllowlist, revokeCommand } from "#allowlist/store";

/** Few names, so that sequences meet the same pair again; spellings that look alike, and what a file could choke on. */
const text = fc.oneof(
  fc.constantFrom(
    "guard.sh",
    "gu\u0430rd.sh",
    "guard.sh ",
    "./guard.sh",
    "GUARD.SH",
    "e\u0301",
    "\u00e9",
    "a\0b",
    "\ud800",
    "",
  ),
  fc.constantFrom("__proto__", "constructor", "'\"\\", "$(id)", "a;b|c*", "\u001b[2K\u202e", "1:a", "a1:"),
  fc.string({ unit: "binary", maxLength: 6 }),
);
const pair = fc.record({ event: fc.oneof(fc.constantFrom("pre_tool_call", "e"), text), command: text });
const step = fc.oneof(
  fc.record({
    kind: fc.constant("add" as const),
    pairs: fc.array(pair, { minLength: 1, maxLength: 3 }),
    note: fc.nat(),
  }),
  fc.record({
    kind: fc.constant("renew" as const),
    pairs: fc.array(pair, { minLength: 1, maxLength: 3 }),
    note: fc.nat(),
  }),
  fc.record({ kind: fc.constant("revoke" as const), command: text }),
);

test("any sequence of approvals and revokes keeps the file valid and exact", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "hermes-store-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      const file = join(folder, String(run++), "list.json");
      const reader = openApprovals(file);
      const model: { event: string; command: string; note: number }[] = [];
      for (const each of steps) {
        if (each.kind === "revoke") {
          const kept = model.filter(({ command }) => command !== each.command);
          assert.equal(await revokeCommand(file, each.command), model.length - kept.length);
          model.splice(0, Infinity, ...kept);
        } else {
          const entries = each.pairs.map((one) => ({ ...one, note: each.note }));
          const renew = each.kind === "renew" ? new Set(entries.map(pairKey)) : new Set<string>();
          await addApprovals(file, entries, renew);
          for (const entry of entries) {
            const known = model.findIndex(({ event, command }) => event === entry.event && command === entry.command);
            if (known === -1) model.push(entry);
            else if (renew.size > 0) model[known] = entry;
          }
        }
        const state = readAllowlist(file);
        assert.deepEqual([state.unusable, state.problem, state.warnings], [null, null, []]);
        assert.deepEqual(state.approvals, model);
        for (const one of model) assert.equal(reader.termsOf(one) !== undefined, true);
        if (model.length > 0) {
          assert.equal(statSync(file).mode & 0o777, 0o600);
          assert.deepEqual(JSON.parse(readFileSync(file, "utf8")), { approvals: model });
        }
        if (each.kind === "revoke")
          assert.equal(reader.termsOf({ event: "pre_tool_call", command: each.command }) !== undefined, false);
      }
    }),
    { numRuns: 60 },
  );
});

test("no pair is taken for another one", () => {
  fc.assert(
    fc.property(pair, pair, (one, other) => {
      const same = one.event === other.event && one.command === other.command;
      assert.equal(pairKey(one) === pairKey(other), same);
    }),
  );
});
