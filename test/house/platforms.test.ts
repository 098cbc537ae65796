import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import test from "node:test";
import { z } from "zod";
import { PLATFORM_SETTINGS, platformsSchema } from "#core/home/platform-settings";
import { PLATFORM_NAMES, findPlatform } from "#gateway/adapters/table";
import { sessionKey } from "#gateway/session-key";

const root = join(import.meta.dirname, "..", "..");

/** Where a platform's name is an example for people, not a decision. */
const EXAMPLES = [
  "core/event-fields.ts",
  "core/event-payloads.ts",
  "core/events.ts",
  "core/gateway-errors.ts",
  // A scheme of signatures has the same name.
  "core/home/inbound-settings.ts",
  // Sections of another program.
  "core/home/hermes-agent-keys.ts",
  "cli/commands/gateway.ts",
  "cli/commands/pairing.ts",
  "plugins/api.ts",
  "sandbox/handler.ts",
];

test("no file outside the adapters decides by the name of a platform", () => {
  const names = new RegExp(`\\b(?:${PLATFORM_NAMES.join("|")})\\b`);
  const files = globSync("{core,allowlist,sandbox,plugins,agent,gateway,dashboard,cli}/**/*.ts", { cwd: root })
    .map((file) => file.split(sep).join("/"))
    .filter((file) => !file.startsWith("gateway/adapters/") && file !== "core/home/platform-settings.ts");
  const naming = files.filter((file) => names.test(readFileSync(join(root, file), "utf8")));
  assert.deepEqual(naming.toSorted(), EXAMPLES.toSorted());
});

for (const name of PLATFORM_NAMES) {
  test(`${name}: its row agrees with the schema of the configuration`, () => {
    assert.equal(findPlatform(name)?.name, name);
    assert.ok(Object.hasOwn(PLATFORM_SETTINGS, name));
    const schema = platformsSchema(z);
    assert.equal(schema.safeParse({ [name]: { enabled: true } }).success, true);
    assert.equal(schema.safeParse({ [name]: { enabled: true, unknown: 1 } }).success, false);
    const source = { platform: name, chat_type: "dm", chat_id: "1", user_id: "2", thread_id: null };
    assert.match(sessionKey(source, {}), new RegExp(`^agent:main:${name}:`));
  });
}
