import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { parseRequest, withoutGlobalOptions } from "#cli/outside/requests";

test("global options of the asking process are left out, wherever they are", () => {
  for (const [words, kept] of [
    [["sessions", "list", "--json"], "sessions list --json"],
    [["--home", "/x", "sessions", "list"], "sessions list"],
    [
      ["--home=/x", "--safe-mode", "sessions", "list", "--log-level", "debug", "--limit", "3"],
      "sessions list --limit 3",
    ],
    [["--accept-hooks", "hooks", "list"], "hooks list"],
  ] as const) {
    assert.equal(withoutGlobalOptions(words).join(" "), kept);
  }
});

test("only words that begin with an answered command, without global options, are a request", () => {
  const word = fc.oneof(
    fc.constantFrom(
      "sessions",
      "hooks",
      "list",
      "show",
      "allow",
      "--json",
      "--home",
      "--home=/x",
      "--accept-hooks",
      "--",
    ),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 5 }), (words) => {
      const request = parseRequest(JSON.stringify({ words }));
      if (request === undefined) return;
      assert.match(words.slice(0, 2).join(" "), /^(?:sessions|hooks) list$/);
      assert.ok(!words.some((each) => /^--(?:home|accept-hooks|safe-mode|log-level)/.test(each)));
    }),
  );
  fc.assert(fc.property(fc.string(), (line) => parseRequest(line) === undefined));
});
