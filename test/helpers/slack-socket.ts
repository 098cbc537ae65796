/**
 * The Socket Mode side of the Slack server: hands out envelopes, waits for acknowledgements, and delivers again what was
 * not acknowledged (https://docs.slack.dev/apis/events-api/using-socket-mode).
 */
import type { Server } from "node:http";
import { WebSocketServer, type WebSocket } from "ws";
import { APP, eventPayload, type Fields } from "./slack-events.ts";

interface Envelope {
  readonly type: "events_api" | "slash_commands" | "interactive";
  readonly payload: Fields;
  attempt: number;
}

/** Slack gives an event up after its third repetition. */
const MOST_ATTEMPTS = 4;

export class SlackSocket {
  /** How long an acknowledgement may take; Slack waits for 3 s. */
  readonly ackMs = 3000;
  /** True for a connection that never says hello. */
  silent = false;
  /** Ignores pings, as a dead connection does. */
  deaf = false;
  /** The next connections get this after their hello, one each. */
  readonly farewells: string[] = [];
  /** Sends each envelope twice, as Slack does when it has lost an acknowledgement. */
  twice = false;
  /** Connections so far. */
  opened = 0;
  /** What clients sent as acknowledgements, as it came. */
  readonly acknowledged: { readonly envelope_id: string; readonly payload?: unknown }[] = [];
  /** How many of the next acknowledgements get lost on their way: the envelope is delivered again. */
  lostAcknowledgements = 0;
  /** Envelopes that were delivered again. */
  repeated = 0;
  readonly #server = new WebSocketServer({ noServer: true });
  readonly #open = new Set<WebSocket>();
  readonly #tickets = new Set<string>();
  readonly #waiting: Envelope[] = [];
  readonly #unacknowledged = new Map<string, { envelope: Envelope; socket: WebSocket; timer: NodeJS.Timeout }>();
  #next = 1;

  attach(server: Server): void {
    server.on("upgrade", (request, socket, head) => {
      const ticket = new URL(request.url ?? "", "http://localhost").searchParams.get("ticket") ?? "";
      if (!this.#tickets.delete(ticket)) return void socket.destroy();
      this.#server.handleUpgrade(request, socket, head, (opened) => this.#greet(opened));
    });
  }

  /** An address that can be used once. */
  issue(port: number): string {
    const ticket = `ticket-${this.#next++}`;
    this.#tickets.add(ticket);
    return `ws://127.0.0.1:${port}/link/?ticket=${ticket}&app_id=${APP}`;
  }

  get connections(): number {
    return this.#open.size;
  }

  /** Envelopes that nobody has acknowledged. */
  get pending(): number {
    return this.#waiting.length + this.#unacknowledged.size;
  }

  /** Delivers an event, now or when somebody is connected. */
  event(event: Fields): void {
    this.deliver("events_api", eventPayload(event, `Ev${this.#next++}`));
  }

  deliver(type: Envelope["type"], payload: Fields): void {
    const copies = this.twice ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) this.#waiting.push({ type, payload, attempt: 0 });
    this.#flush();
  }

  /** Sends a frame as it is to every connection. */
  send(frame: string): void {
    for (const socket of this.#open) socket.send(frame);
  }

  /** Asks every connection to go: `warning`, `refresh_requested` or `link_disabled`. Slack closes it soon after. */
  disconnect(reason: string, closeMs = 50): void {
    for (const socket of this.#open) farewell(socket, reason, closeMs);
  }

  /** Cuts every connection without a word. */
  drop(): void {
    for (const socket of this.#open) socket.terminate();
  }

  #greet(socket: WebSocket): void {
    this.opened++;
    this.#open.add(socket);
    socket.on("message", (data: Buffer) => this.#acknowledge(data.toString()));
    socket.on("error", () => undefined);
    socket.on("close", () => this.#forget(socket));
    if (this.deaf) socket.pong = () => undefined;
    if (this.silent) return;
    const debug_info = { host: "applink-1", build_number: 1, approximate_connection_time: 18_060 };
    const hello = { type: "hello", num_connections: this.#open.size, debug_info, connection_info: { app_id: APP } };
    socket.send(JSON.stringify(hello));
    const reason = this.farewells.shift();
    if (reason !== undefined) return farewell(socket, reason, 0);
    this.#flush();
  }

  #flush(): void {
    const socket = [...this.#open].findLast((one) => one.readyState === one.OPEN);
    if (socket === undefined || this.silent) return;
    for (const envelope of this.#waiting.splice(0)) {
      const id = `envelope-${this.#next++}`;
      const { type, payload, attempt } = envelope;
      const retry = attempt === 0 ? {} : { retry_attempt: attempt, retry_reason: "timeout" };
      const timer = setTimeout(() => this.#again(id), this.ackMs).unref();
      this.#unacknowledged.set(id, { envelope, socket, timer });
      socket.send(JSON.stringify({ envelope_id: id, payload, type, accepts_response_payload: false, ...retry }));
    }
  }

  #acknowledge(text: string): void {
    const answer = JSON.parse(text) as { envelope_id: string; payload?: unknown };
    this.acknowledged.push(answer);
    if (this.lostAcknowledgements > 0) {
      this.lostAcknowledgements--;
      return this.#again(answer.envelope_id);
    }
    clearTimeout(this.#unacknowledged.get(answer.envelope_id)?.timer);
    this.#unacknowledged.delete(answer.envelope_id);
  }

  /** Only events are delivered again; whoever used a command or a button is told that it failed. */
  #again(id: string): void {
    const { envelope, timer } = this.#unacknowledged.get(id) ?? {};
    this.#unacknowledged.delete(id);
    clearTimeout(timer);
    if (envelope === undefined || envelope.type !== "events_api" || envelope.attempt + 1 >= MOST_ATTEMPTS) return;
    this.repeated++;
    this.#waiting.push({ ...envelope, attempt: envelope.attempt + 1 });
    this.#flush();
  }

  /** What a connection left unacknowledged comes before what is newer. */
  #forget(socket: WebSocket): void {
    this.#open.delete(socket);
    const newer = this.#waiting.splice(0);
    for (const [id, one] of this.#unacknowledged) if (one.socket === socket) this.#again(id);
    this.#waiting.push(...newer);
    this.#flush();
  }
}

function farewell(socket: WebSocket, reason: string, closeMs: number): void {
  socket.send(JSON.stringify({ type: "disconnect", reason, debug_info: { host: "applink-1" } }));
  setTimeout(() => socket.close(), closeMs).unref();
}
