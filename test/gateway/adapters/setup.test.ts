/** What every platform's `setup` has in common. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import test from "node:test";
import { z } from "zod";
import { isHermesError } from "#core/errors";
import { PLATFORM_SETTINGS } from "#core/home/platform-settings";
import { findPlatform, PLATFORM_NAMES } from "#gateway/adapters/table";
import { freePort } from "../../helpers/ports.ts";

/** A value that no field may have, and what a secret looks like. */
const SECRET = "123456789:a-secret-that-no-error-may-have";

for (const name of PLATFORM_NAMES) {
  const setup = () => findPlatform(name)!.setup();

  test(`${name}: its setup has steps, and fields that are settings of the platform`, async () => {
    const { steps, fields } = await setup();
    const { shape } = PLATFORM_SETTINGS[name](z);
    assert.ok(steps.length > 0);
    for (const text of [...steps, ...fields.map(({ hint }) => hint)]) assert.match(text, /^[^]{10,}[.?!]$/);
    const keys = fields.map(({ key }) => key);
    assert.deepEqual(
      keys.filter((key) => !Object.hasOwn(shape, key)),
      [],
    );
    assert.deepEqual(new Set(keys).size, keys.length);
    for (const { key, label, fallback = "", secret, problem } of fields) {
      assert.match(label, /^[A-Z][^:]*[^:. ]$/, `the label of ${key}`);
      assert.equal(/token|secret|^key$/.test(key), secret === true, `${key} is a secret by its name`);
      if (fallback !== "") assert.equal(problem?.(fallback), undefined, `the fallback of ${key}`);
    }
  });

  test(`${name}: its check rejects with a sentence, without a secret`, async (t) => {
    const { fields, check } = await setup();
    const values = Object.fromEntries(fields.map(({ key, fallback }) => [key, fallback ?? SECRET]));
    const refusing = createServer((request, response) => {
      request.resume();
      response.writeHead(401, { "content-type": "application/json" });
      response.end(JSON.stringify({ ok: false, error_code: 401, message: "401: Unauthorized", description: SECRET }));
    });
    refusing.listen(0, "127.0.0.1");
    await once(refusing, "listening");
    t.after(() => refusing.close());
    const { port } = refusing.address() as AddressInfo;
    const roots = Object.hasOwn(values, "port") ? [port] : [port, await freePort()];
    for (const root of roots) {
      // A platform that listens itself finds its port in use.
      const given = Object.hasOwn(values, "port") ? { ...values, port: String(root) } : values;
      await assert.rejects(check(given, `http://127.0.0.1:${root}`), (error) => {
        assert.ok(isHermesError(error), String(error));
        assert.match(error.code, /^HERMES_ADAPTER_(?:CONFIG|START)$/);
        assert.equal(error.fields["platform"], name);
        assert.ok(!error.message.includes("a-secret"), error.message);
        assert.match(String(error.fields["problem"]), /\S/);
        return true;
      });
    }
  });
}
