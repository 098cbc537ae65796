import assert from "node:assert/strict";
import test from "node:test";
import { decidingRun, decisionContent, firingOutcome, outcomeOfHook } from "#core/firing-outcome";

const run = (name: string, outcome: "pass" | "block" | "error" | "timeout" | "modify", background = false) => ({
  name,
  outcome,
  background,
});

test("a decision counts more than a failure, and a failure more than nothing", () => {
  const runs = [run("one", "pass"), run("two", "error"), run("three", "timeout")];
  assert.equal(firingOutcome({ kind: "block", message: "no" }, runs), "block");
  assert.equal(firingOutcome({ kind: "allow" }, runs), "error");
  assert.equal(firingOutcome({ kind: "pass" }, [run("one", "pass")]), "pass");
});

test("a failure in the background does not count", () => {
  const runs = [run("slow", "error", true), run("two", "timeout")];
  assert.equal(firingOutcome({ kind: "pass" }, runs), "timeout");
  assert.equal(decidingRun("timeout", runs)?.name, "two");
  assert.equal(decidingRun("error", runs), undefined);
});

test("the run that decided is the last one with the outcome, that which failed the first", () => {
  const runs = [run("a", "modify"), run("b", "error"), run("c", "modify"), run("d", "error")];
  assert.equal(decidingRun("modify", runs)?.name, "c");
  assert.equal(decidingRun("error", runs)?.name, "b");
  assert.equal(decidingRun("pass", runs), undefined);
});

test("one hook's outcome is its first that is not pass", () => {
  const runs = [run("a", "pass"), run("b", "block"), run("a", "error"), run("a", "block")];
  assert.equal(outcomeOfHook("a", runs), "error");
  assert.equal(outcomeOfHook("c", runs), "pass");
});

test("the order of keys does not make other arguments", () => {
  const content = (args: object) => decisionContent({ kind: "modify", args: { ...args } });
  assert.equal(content({ a: 1, b: { c: 1, d: [1] } }), content({ b: { d: [1], c: 1 }, a: 1 }));
  assert.notEqual(content({ a: [1, 2] }), content({ a: [2, 1] }));
  assert.equal(decisionContent({ kind: "block", message: "no" }), null);
  assert.equal(decisionContent({ kind: "context", text: "more" }), "more");
});
