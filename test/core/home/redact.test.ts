import assert from "node:assert/strict";
import test from "node:test";
import { createRedactor } from "#core/home/redact";

const KEY = `sk-${"a1B2".repeat(6)}`;

test("a secret that is known by its form is found behind an escape of JSON, at whatever depth", () => {
  const redact = createRedactor({});
  for (const secret of [KEY, `ghp_${"x".repeat(24)}`, "AKIAIOSFODNN7EXAMPLE", `123456789:${"t".repeat(35)}`]) {
    for (const before of ["", "\n", "\t", "\r", '"', "\u0001", "="]) {
      const text = before === "" ? secret : `first line${before}${secret}`;
      const nested = [text, JSON.stringify(text), JSON.stringify(JSON.stringify({ output: text }))];
      for (const form of nested) assert.ok(!redact(form).includes(secret), form);
    }
  }
});

test("words that only look like the end of a secret stay", () => {
  const redact = createRedactor({});
  for (const text of [
    `task-${"a".repeat(30)}`,
    "the desk-sized thing-with-many-parts-and-more",
    "risk-taking-in-the-long-run",
  ]) {
    assert.equal(redact(text), text);
  }
});

test("assignments, flags, headers and addresses lose their secrets behind an escape, too", () => {
  const redact = createRedactor({});
  const output = JSON.stringify(
    [
      "",
      "MY_TOKEN=hunter2hunter2",
      "tool --api-key hunter2hunter2",
      "Bearer hunter2hunter2",
      "https://me:hunter2hunter2@host/",
    ].join("\n"),
  );
  assert.ok(!redact(output).includes("hunter2"), redact(output));
  assert.ok(redact(output).includes("MY_TOKEN="));
});

test("a known secret with quotes and line breaks is found in its JSON form", () => {
  const secret = 'two "words"\nand \\ more';
  const redact = createRedactor({ SOME_SECRET: secret });
  for (const form of [
    secret,
    JSON.stringify({ a: secret }),
    JSON.stringify({ content: JSON.stringify({ a: secret }) }),
  ]) {
    assert.ok(!/words|more/.test(redact(form)), redact(form));
  }
  assert.deepEqual(JSON.parse(redact(JSON.stringify({ a: secret }))), { a: "[redacted]" });
});

test("a secret in an address is found: as a password, as a parameter, and percent-encoded", () => {
  const redact = createRedactor({ DB_PASSWORD: "p@ss word/1" });
  for (const text of [
    "postgres://me:hunter2hunter2@host/db",
    "see https://example.org/x?token=hunter2hunter2&page=2",
    "https://example.org/?page=2&X-Amz-Signature=hunter2hunter2#top",
    "https://example.org/?a=1&api_key=hunter2hunter2",
    JSON.stringify({ url: "https://example.org/?key=hunter2hunter2" }),
  ]) {
    assert.ok(!redact(text).includes("hunter2"), redact(text));
    assert.equal(redact(text).split("[redacted]").length, 2);
  }
  assert.equal(redact("https://x/p%40ss%20word%2F1"), "https://x/[redacted]");
  for (const text of ["https://example.org/?page=2&monkey=x", "what? token=1 is a number", "a://b/c:d@e"]) {
    assert.equal(redact(text), text);
  }
});
