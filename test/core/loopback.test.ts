import test from "node:test";
import assert from "node:assert/strict";
import { isLoopback } from "#core/loopback";

test("this machine and no other, in every spelling", () => {
  for (const host of ["localhost", "LocalHost", "127.0.0.1", "127.8.9.10", "::1", "[::1]", "0:0:0:0:0:0:0:1"]) {
    assert.ok(isLoopback(host), host);
  }
  const others = ["", "0.0.0.0", "::", "[::]", "::ffff:127.0.0.1", "::2", "1.127.0.0", "127.0.0.1.example.org", "127"];
  for (const host of [...others, "notlocalhost", "localhost.example.org", "192.0.2.7"]) {
    assert.ok(!isLoopback(host), host);
  }
});
