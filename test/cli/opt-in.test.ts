import assert from "node:assert/strict";
import { test } from "node:test";
import { optInOf } from "#cli/opt-in";
import type { Config } from "#core/home/config";

const config = { values: {} } as Config;

test("only words that switch something on opt in", () => {
  const optIn = (value: string) => optInOf({ acceptHooks: false }, config, { HERMES_ACCEPT_HOOKS: value });
  for (const value of ["0", "false", "off", "", "y"]) assert.equal(optIn(value), null, value);
  for (const value of ["1", "true", "yes", "on", "TRUE"]) assert.equal(optIn(value), "env", value);
});
