/** Connections of an undici Agent go only to addresses that may be reached. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { Agent, buildConnector, request } from "undici";
import { checkedConnect, RefusedAddressError } from "#core/checked-connect";

function openAgent(context: TestContext, exempt?: readonly string[]): Agent {
  const connect = checkedConnect({ build: buildConnector, ...(exempt === undefined ? {} : { exempt }) });
  const agent = new Agent({ connect });
  context.after(() => agent.destroy());
  return agent;
}

async function startServer(context: TestContext): Promise<{ port: number; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((incoming, response) => {
    requests.push(String(incoming.headers.host));
    response.end("reached");
  });
  await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, requests };
}

test("addresses in URLs and names that the system resolves are both checked", async (context) => {
  const { port, requests } = await startServer(context);
  const dispatcher = openAgent(context);
  for (const host of ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "0x7f.1"]) {
    await assert.rejects(request(`http://${host}:${port}/`, { dispatcher }), (error) => {
      assert.ok(error instanceof RefusedAddressError, String(error));
      assert.match(error.message, /, which is not a public address \((?:loopback|unspecified)\)$/, host);
      return true;
    });
  }
  assert.deepEqual(requests, []);
});

test("an exempt address is reached in every spelling, others are not", async (context) => {
  const { port, requests } = await startServer(context);
  const dispatcher = openAgent(context, ["127.0.0.1"]);
  for (const host of ["127.0.0.1", "2130706433"]) {
    assert.equal((await request(`http://${host}:${port}/`, { dispatcher })).statusCode, 200);
  }
  await assert.rejects(request(`http://127.0.0.2:${port}/`, { dispatcher }), RefusedAddressError);
  assert.equal(requests.length, 2);
  const all = openAgent(context, ["localhost"]);
  assert.equal((await request(`http://127.0.0.1:${port}/`, { dispatcher: all })).statusCode, 200);
});
