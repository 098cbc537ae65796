import assert from "node:assert/strict";
import test from "node:test";
import { parseSource, refOf, shownSource, sourceText } from "#cli/plugin-install/source";

test("a source is read back from its record", () => {
  for (const [word, text, ref] of [
    ["npm:weather", "npm:weather", null],
    ["npm:@fair/weather@^1.2.0", "npm:@fair/weather", "^1.2.0"],
    ["git:https://example.org/weather.git", "git:https://example.org/weather.git", null],
    ["git:git@example.org:fair/weather.git", "git:git@example.org:fair/weather.git", null],
    ["git://example.org/weather.git", "git://example.org/weather.git", null],
    ["git:../weather", "git:/home/weather", null],
    ["/tmp", "/tmp", null],
  ] as const) {
    const source = parseSource(word, null, "/home/jane");
    assert.deepEqual([sourceText(source), refOf(source)], [text, ref]);
    assert.deepEqual(parseSource(text, ref, "/"), source);
  }
});

test("a ref takes the place of the version that the source names", () => {
  assert.equal(refOf(parseSource("npm:weather@1.0.0", "next", "/")), "next");
  assert.equal(refOf(parseSource("git:https://example.org/x", "feature/a", "/")), "feature/a");
});

test("a password in an address is not shown", () => {
  assert.equal(shownSource("git:https://jane:secret@example.org/x.git"), "git:https://example.org/x.git");
  assert.equal(shownSource("git:ssh://git@example.org/x.git"), "git:ssh://example.org/x.git");
  assert.equal(shownSource("git:git@example.org:x.git"), "git:git@example.org:x.git");
  assert.equal(shownSource("npm:@fair/weather"), "npm:@fair/weather");
});
