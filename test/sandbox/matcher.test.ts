import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { createMatcher } from "#sandbox/shell/matcher";

const TABLE: readonly (readonly [pattern: string | null, matching: string[], other: string[]])[] = [
  [null, ["terminal", ""], []],
  ["", ["terminal"], []],
  ["  ", ["terminal"], []],
  ["terminal", ["terminal"], ["Terminal", "terminal2", "my_terminal", "terminal\n"]],
  [" terminal ", ["terminal"], [" terminal "]],
  ["write_file|patch", ["write_file", "patch"], ["write_file|patch", "write_filepatch", "dispatch"]],
  ["mcp__.*", ["mcp__x"], ["xmcp__"]],
  ["^terminal$", ["terminal"], ["terminals"]],
  ["(?i)TERMINAL", ["terminal", "Terminal"], ["terminals"]],
  ["(?P<what>read|write)_file", ["read_file", "write_file"], ["read_dir"]],
  ["(?P<a>x)(?P=a)", ["xx"], ["x"]],
  ["\\Aread.*\\Z", ["read_file"], ["my_read"]],
  ["a(?# a comment)b", ["ab"], ["a b"]],
  ["[]a]+", ["]a"], ["b"]],
  ["[\\]a]+", ["]a"], ["b"]],
  ["\\\\A", ["\\A"], ["A"]],
  ["(?m)^a$", ["a"], ["a\nb", "b\na"]],
  ["(?s)a.b", ["a\nb"], []],
  ["a.b", ["a😀b"], ["a\nb"]],
  ["(a)\\1", ["aa"], ["a"]],
];

for (const [pattern, matching, other] of TABLE) {
  test(`${JSON.stringify(pattern)} is matched against the whole name`, () => {
    const matcher = createMatcher(pattern);
    assert.equal(matcher.problem, null);
    for (const name of [...matching, ...matching]) assert.equal(matcher.matches(name), true, name);
    for (const name of [...other, ...other]) assert.equal(matcher.matches(name), false, name);
  });
}

for (const pattern of ["terminal(", "*", "[a", "a)(b", "(?x)a b", "a++", "(?P<n>a)(?P<n>b)"]) {
  test(`${pattern} cannot be compiled and is used as a name`, () => {
    const matcher = createMatcher(pattern);
    assert.notEqual(matcher.problem, null);
    assert.equal(matcher.matches(pattern), true);
    assert.equal(matcher.matches("terminal"), false);
  });
}

for (const pattern of ["(a+)+b", "(a|aa)+b", "(?:a*)*b", ".*.*.*.*.*.*.*.*=.*", "(?i)(A|a)+b"]) {
  test(`${pattern} is stopped and treated as a match`, () => {
    const matcher = createMatcher(pattern);
    // It does not match, and would take longer than anybody can wait to find that out.
    assert.equal(matcher.matches("a".repeat(5000)), true);
    // One is enough: the machine may pause the process for as long as a match may take.
    assert.ok(["zzz", "zzy", "zzx"].some((name) => !matcher.matches(name)));
  });
}

test("any text is a matcher, and an invalid pattern matches itself", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (pattern, name) => {
      const matcher = createMatcher(pattern);
      assert.equal(typeof matcher.matches(name), "boolean");
      if (matcher.problem !== null) assert.equal(matcher.matches(pattern.trim()), true);
    }),
    { numRuns: 300 },
  );
});
