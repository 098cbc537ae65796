/** Dashboards that misbehave, over real HTTP, side by side: each test has a sender of its own. */
import assert from "node:assert/strict";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { suite, test, type TestContext } from "node:test";
import { problemOf } from "#core/errors";
import { FrameSource } from "#core/forward/frame-source";
import { ForwardQueue } from "#core/forward/queue";
import { ForwardSender } from "#core/forward/sender";
import { acceptAll, FakeDashboard, reply, type Ingest } from "../../helpers/fake-dashboard.ts";
import { until } from "../../helpers/poll.ts";

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);

function senderTo(t: TestContext, url: string, redact: (text: string) => string = (text) => text) {
  const events = new ForwardQueue();
  const queue = events.addOutlet();
  const errors: string[] = [];
  const onError = (sentence: string) => void errors.push(sentence);
  const source = new FrameSource({
    queue: events,
    src: "test",
    redact,
    unfinished: () => null,
    onError: (error) => onError(`events could not be written: ${problemOf(error)}`),
    onReady: () => undefined,
  });
  const sender = new ForwardSender({
    outlet: queue,
    source,
    messageIds: () => undefined,
    onError,
    onUnauthorized: () => undefined,
  });
  sender.setDashboard({ url, token: "test-token", identity: url });
  t.after(() => sender.close(0));
  const emit = (count: number, extra: Record<string, unknown> = {}, from = 0) => {
    for (const n of numbers(count, from)) {
      events.push("agent:step", { n, ...extra });
      sender.wake();
    }
  };
  return { queue, errors, sender, emit };
}

async function fixture(t: TestContext, ingest: Ingest = acceptAll) {
  const dashboard = await FakeDashboard.start(t);
  dashboard.ingest = ingest;
  return { dashboard, ...senderTo(t, dashboard.url) };
}

/** A server of bare sockets; `answer` gets each connection. */
async function bareServer(t: TestContext, answer: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    answer(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

suite("a dashboard that misbehaves", { concurrency: 8 }, () => {
  test("500 once: the batch is sent again, nothing is lost and the order stays", async (t) => {
    const { dashboard, queue, errors, emit } = await fixture(t);
    dashboard.ingest = (request) => {
      if (request.number > 0) return acceptAll(request);
      reply(request.response, 500, { detail: "broken" });
      return false;
    };
    emit(10);
    await until(() => dashboard.requests.length > 0, "the first try");
    emit(10, {}, 10);
    await until(() => dashboard.taken.length === 20, "all events");
    assert.deepEqual(dashboard.numbers(), numbers(20));
    assert.equal(queue.dropped, 0);
    assert.match(errors[0]!, /it answered 500/);
  });

  test("endless 500: a batch is tried three times and dropped, and the next one is sent", async (t) => {
    const poisonous: Ingest = (request) => {
      if (!request.frames.some(({ context }) => context["bad"] === true)) return acceptAll(request);
      reply(request.response, 500, "");
      return false;
    };
    const { dashboard, queue, emit } = await fixture(t, poisonous);
    emit(3, { bad: true });
    await until(() => dashboard.requests.length > 0, "the first try");
    emit(2, {}, 3);
    await until(() => dashboard.taken.length === 2, "the good events");
    assert.deepEqual(dashboard.numbers(), [3, 4]);
    assert.equal(dashboard.requests.length, 4);
    assert.equal(queue.dropped, 3);
    emit(1, {}, 5);
    await until(() => dashboard.taken.length === 3, "one more");
    assert.equal(dashboard.dropped, 3, "the total was sent along");
  });

  test("413: batches are split until they fit; a frame that does not fit alone is dropped and counted", async (t) => {
    const small: Ingest = (request) => {
      if (request.bytes <= 5000) return acceptAll(request);
      reply(request.response, 413, { detail: "too large" });
      return false;
    };
    const { dashboard, queue, emit } = await fixture(t, small);
    emit(100, { text: "x".repeat(200) });
    emit(1, { text: "x".repeat(6000) }, 100);
    emit(100, { text: "x".repeat(200) }, 101);
    await until(() => dashboard.taken.length === 200, "all that fit");
    assert.deepEqual(dashboard.numbers(), [...numbers(100), ...numbers(100, 101)]);
    assert.equal(queue.dropped, 1);
    const sizes = dashboard.requests.slice(-3).map(({ frames }) => frames.length);
    assert.ok(Math.max(...sizes) > 1, `batches grow again: ${sizes.join()}`);
  });

  test("an older dashboard that knows no batches gets single frames", async (t) => {
    const older: Ingest = (request) => {
      if (!request.isBatch) return acceptAll(request);
      reply(request.response, 400, { detail: "body must be a JSON object" });
      return false;
    };
    const { dashboard, queue, emit } = await fixture(t, older);
    emit(20);
    await until(() => dashboard.taken.length === 20, "the first events");
    emit(20, {}, 20);
    await until(() => dashboard.taken.length === 40, "the others");
    assert.deepEqual(dashboard.numbers(), numbers(40));
    assert.equal(dashboard.requests.filter(({ isBatch }) => isBatch).length, 1, "asked once");
    assert.equal(queue.dropped, 0);
  });

  test("frames that the dashboard does not accept are dropped and counted, the others arrive", async (t) => {
    const choosy: Ingest = ({ frames, response }) => {
      const good = frames.filter(({ context }) => Number(context["n"]) % 2 === 0).length;
      reply(response, good > 0 ? 200 : 400, { ok: good > 0, accepted: good, rejected: [] });
      return true;
    };
    const { dashboard, queue, errors, emit } = await fixture(t, choosy);
    emit(10);
    await until(() => dashboard.requests.length === 1 && queue.held === 0, "the first batch");
    assert.equal(queue.dropped, 5);
    assert.match(errors[0]!, /did not accept 5 events/);
    emit(1, {}, 11);
    await until(() => dashboard.requests.length === 2 && queue.held === 0, "a batch without a good frame");
    assert.equal(queue.dropped, 6);
  });

  test("garbage: an answer that is not a dashboard's does not confirm anything", async (t) => {
    const { dashboard, queue, errors, emit } = await fixture(t);
    dashboard.ingest = (request) => {
      if (request.number > 1) return acceptAll(request);
      reply(request.response, 200, request.number === 0 ? "<html>It works!</html>" : "x".repeat(200_000));
      return false;
    };
    emit(5);
    await until(() => dashboard.taken.length === 5, "the events");
    assert.equal(queue.dropped, 0);
    assert.match(errors[0]!, /without the expected JSON/);
  });

  test("a receiver that answers 2xx without a word, or with other JSON, has taken what was sent", async (t) => {
    const bodies = ["", "{}", '{"received": 1}'];
    const { dashboard, queue, errors, emit } = await fixture(t, ({ number, response }) => {
      reply(response, number === 0 ? 204 : 200, bodies[number % bodies.length]);
      return true;
    });
    for (const n of numbers(4)) {
      emit(1, {}, n);
      await until(() => dashboard.taken.length > n && queue.held === 0, `event ${n}`);
    }
    assert.equal(dashboard.taken.length, 4);
    assert.deepEqual([queue.dropped, errors], [0, []]);
  });

  test("garbage on the wire, a closed door, an empty answer: nothing is lost before there is room", async (t) => {
    const noise = [
      "\0\u0001\u0002\r\n\r\n",
      "SSH-2.0-OpenSSH_9.6\r\n",
      "HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n",
      "",
    ];
    for (const answer of noise) {
      const url = await bareServer(t, (socket) => socket.end(answer));
      const { queue, errors, emit } = senderTo(t, url);
      emit(5);
      await until(() => errors.length > 0, "a complaint");
      assert.deepEqual([queue.held, queue.dropped], [5, 0]);
    }
  });

  test("redirects are not followed, neither for events nor for the health check", async (t) => {
    const stranger = await FakeDashboard.start(t);
    for (const status of [301, 302, 307, 308]) {
      const redirect: Ingest = ({ response }) => {
        response.writeHead(status, { location: `${stranger.url}/api/hooks/ingest` }).end();
        return false;
      };
      const { errors, emit } = await fixture(t, redirect);
      emit(1);
      await until(() => errors.length > 0, "a complaint");
      assert.match(errors[0]!, new RegExp(`it answered ${status}`));
    }
    const { dashboard, errors, emit } = await fixture(t);
    dashboard.health = (response) =>
      void response.writeHead(302, { location: `${stranger.url}/api/hooks/health` }).end();
    emit(1);
    await until(() => errors.length > 0, "a complaint");
    assert.match(errors[0]!, /is not a hermes dashboard/);
    assert.equal(dashboard.requests.length, 0);
    assert.deepEqual([stranger.requests.length, stranger.refusals, stranger.healthChecks], [0, 0, 0]);
  });

  test("what answers the health check wrongly gets neither events nor the token", async (t) => {
    for (const [status, body] of [
      [503, { ok: true }],
      [200, "ok"],
      [200, { ok: false }],
      [404, ""],
    ] as const) {
      const { dashboard, queue, errors, emit } = await fixture(t);
      dashboard.health = (response) => reply(response, status, body);
      emit(3);
      await until(() => errors.length > 0, "a complaint");
      assert.equal(dashboard.requests.length + dashboard.refusals, 0);
      assert.equal(queue.held, 3);
      dashboard.health = (response) => reply(response, 200, { ok: true });
      await until(() => dashboard.taken.length === 3, "the events, once it is well");
    }
  });

  test("a request that hangs while the dashboard is well is given up and sent again", async (t) => {
    const { dashboard, queue, errors, emit } = await fixture(t);
    dashboard.ingest = (request) => request.number > 0 && acceptAll(request);
    emit(3);
    await until(() => dashboard.taken.length === 3, "the second try");
    assert.equal(queue.dropped, 0);
    assert.match(errors[0]!, /did not answer within 2 s/);
    assert.equal(dashboard.requests[0]!.request.socket.destroyed, true, "the first try was broken off");
  });

  test("a dashboard that is suspended and resumed: nothing arrives twice, and drops are exact", async (t) => {
    const { dashboard, queue, errors, emit } = await fixture(t);
    const held: (() => void)[] = [];
    let stopped = true;
    dashboard.health = (response) => {
      const answer = () => reply(response, 200, { ok: true });
      if (stopped && held.length > 0) held.push(answer);
      else answer();
    };
    dashboard.ingest = async (request) => {
      if (stopped) await new Promise<void>((resolve) => held.push(resolve));
      return acceptAll(request);
    };
    emit(3);
    await until(() => held.length === 1, "the first request");
    for (let round = 0; round < 5; round++) {
      emit(1000, {}, 3 + 1000 * round);
      assert.ok(queue.held <= 1024);
    }
    await until(() => errors.length > 0 && held.length > 1, "the complaint, and a health check that hangs");
    stopped = false;
    for (const answer of held) answer();
    await until(() => queue.held === 0, "all is sent");
    const arrived = dashboard.numbers() as number[];
    assert.deepEqual(arrived.slice(0, 3), [0, 1, 2]);
    assert.equal(arrived.at(-1), 5002);
    assert.equal(arrived.length + queue.dropped, 5003);
    assert.equal(new Set(arrived).size, arrived.length);
    assert.deepEqual(
      arrived,
      arrived.toSorted((a, b) => a - b),
    );
    assert.equal(dashboard.dropped, queue.dropped);
    assert.equal(dashboard.connections.size, 1);
  });

  test("one byte a second: the queue drops its oldest, and the end does not wait", async (t) => {
    const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{"ok":true}';
    let sent = 0;
    const url = await bareServer(t, (socket) => {
      const timer = setInterval(() => socket.write(answer[sent++ % answer.length]!), 1000);
      socket.on("close", () => clearInterval(timer));
    });
    const { queue, errors, sender, emit } = senderTo(t, url);
    emit(2000);
    assert.deepEqual([queue.held, queue.dropped], [1024, 976]);
    await until(() => errors.length > 0, "a complaint");
    assert.match(errors[0]!, /did not answer within 2 s/);
    await sender.close(100);
    assert.ok(sent < answer.length, "it did not wait for the answer");
    assert.deepEqual([queue.held, queue.dropped], [0, 2000]);
  });

  test("a connection that breaks before the answer: the batch is sent again", async (t) => {
    const { dashboard, queue, emit } = await fixture(t);
    dashboard.ingest = (request) => {
      if (request.number > 0) return acceptAll(request);
      request.request.socket.destroy();
      return false;
    };
    emit(3);
    await until(() => dashboard.taken.length === 3, "the second try");
    assert.deepEqual([queue.dropped, dashboard.requests.length], [0, 2]);
  });

  test("a connection that the dashboard closed in between is made again without a complaint", async (t) => {
    const { dashboard, queue, errors, emit } = await fixture(t);
    emit(1);
    await until(() => dashboard.taken.length === 1 && queue.held === 0, "the first event");
    dashboard.requests[0]!.request.socket.end();
    await until(() => dashboard.requests[0]!.request.socket.destroyed, "the connection is gone");
    emit(1, {}, 1);
    await until(() => dashboard.taken.length === 2, "the second event");
    assert.deepEqual(errors, []);
  });

  test("a failing redactor leaks nothing, and sending continues", async (t) => {
    const dashboard = await FakeDashboard.start(t);
    const redact = (text: string) => (text.includes("poison") ? assert.fail("redactor") : text);
    const { queue, errors, emit } = senderTo(t, dashboard.url, redact);
    emit(2, { text: "poison" });
    await until(() => queue.held === 0, "the bad ones are gone");
    emit(1, {}, 2);
    await until(() => dashboard.taken.length === 1, "the good one");
    assert.deepEqual([dashboard.numbers(), queue.dropped], [[2], 2]);
    assert.match(errors[0]!, /events could not be written: redactor/);
  });

  test("a dashboard behind a path gets its requests there", async (t) => {
    const dashboard = await FakeDashboard.start(t);
    dashboard.prefix = "/behind/a/proxy";
    const { emit } = senderTo(t, `${dashboard.url}/behind/a/proxy`);
    emit(1);
    await until(() => dashboard.taken.length === 1, "the event");
  });

  test("contexts of 10 MB are shortened, and those beside them arrive whole", async (t) => {
    const { dashboard, queue, emit } = await fixture(t);
    emit(1);
    for (let n = 1; n < 6; n++) emit(1, { text: "x".repeat(10 * 1024 * 1024) }, n);
    emit(1, { text: "whole" }, 6);
    await until(() => dashboard.taken.length === 7, "all of them");
    assert.deepEqual(dashboard.numbers(), numbers(7));
    assert.match(String(dashboard.taken[3]!.context["text"]), /^x+… \(\d+ more characters\)$/);
    assert.equal(dashboard.taken[6]!.context["text"], "whole");
    assert.ok(dashboard.requests.every(({ bytes }) => bytes <= 1024 * 1024));
    assert.equal(queue.dropped, 0);
  });
});
