/**
 * Discord's gateway: the WebSocket on which a bot gets its events. Sessions outlive their connection: a client that
 * resumes gets what it missed.
 */
import { randomBytes } from "node:crypto";
import type { Server } from "node:http";
import { GatewayCloseCodes, GatewayIntentBits, GatewayOpcodes } from "discord-api-types/v10";
import { WebSocketServer, type WebSocket } from "ws";

/** An event of a session, as it is sent and, after a RESUME, sent again. */
interface Dispatch {
  readonly t: string;
  readonly s: number;
  readonly d: unknown;
}

interface Session {
  readonly id: string;
  readonly sent: Dispatch[];
  /** Null while its client is away. */
  socket: WebSocket | null;
}

interface Message {
  readonly op: GatewayOpcodes;
  readonly d: unknown;
}

export interface DiscordGatewayOptions {
  readonly url: () => string;
  readonly token: () => string;
  /** The intents that the application may use. */
  readonly intents: () => number;
  /** The fields of READY besides those of the session. */
  readonly ready: () => Readonly<Record<string, unknown>>;
  /** The GUILD_CREATE events after READY. */
  readonly guilds: () => readonly unknown[];
}

export class DiscordGateway {
  /** Sent in HELLO; Discord's is 41,250. */
  heartbeatMs = 41_250;
  /** False: heartbeats get no answer. */
  acknowledges = true;
  /** True: clients are not greeted. */
  silent = false;
  /** True: connections are taken, and get no answer. */
  hangs = false;
  /** True: every client is refused as one with a wrong token. */
  refuses = false;
  /** Sent in READY instead of the server's own address. */
  resumeUrl: string | null = null;
  /** False: a RESUME gets INVALID_SESSION. */
  resumes = true;
  /** Sent to the next clients that identify or resume, one each: INVALID_SESSION with this, instead of an answer. */
  readonly invalidations: boolean[] = [];
  /** What clients sent, in order, each as its opcode's name. */
  readonly log: string[] = [];
  /** The payloads of IDENTIFY and RESUME. */
  readonly identified: Readonly<Record<string, unknown>>[] = [];
  readonly resumed: Readonly<Record<string, unknown>>[] = [];
  readonly #options: DiscordGatewayOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #sockets = new Set<WebSocket>();

  constructor(options: DiscordGatewayOptions) {
    this.#options = options;
  }

  /** Takes the WebSockets of a server. */
  attach(server: Server): void {
    const sockets = new WebSocketServer({ noServer: true });
    server.on("upgrade", (request, socket, head) => {
      this.log.push("Upgrade");
      if (this.hangs) return;
      sockets.handleUpgrade(request, socket, head, (opened) => void sockets.emit("connection", opened, request));
    });
    sockets.on("connection", (socket) => this.#connect(socket));
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** True when a client has a session and is connected. */
  get isReady(): boolean {
    return [...this.#sessions.values()].some(({ socket }) => socket !== null);
  }

  /** Sends an event to every session, to those whose client is away when they resume. */
  dispatch(t: string, d: unknown): void {
    for (const session of this.#sessions.values()) send(session, t, d);
  }

  /** Cuts the connections without a word. */
  drop(): void {
    for (const socket of this.#sockets) socket.terminate();
  }

  /** Asks the clients to connect again. */
  reconnect(): void {
    for (const socket of this.#sockets) say(socket, { op: GatewayOpcodes.Reconnect, d: null });
  }

  /** Ends the sessions of connected clients, which `resumable` ones may resume. */
  invalidate(resumable: boolean): void {
    if (!resumable) this.#sessions.clear();
    for (const socket of this.#sockets) say(socket, { op: GatewayOpcodes.InvalidSession, d: resumable });
  }

  close(code: number): void {
    for (const socket of this.#sockets) socket.close(code);
  }

  #connect(socket: WebSocket): void {
    this.#sockets.add(socket);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      for (const session of this.#sessions.values()) if (session.socket === socket) session.socket = null;
    });
    socket.on("error", () => socket.terminate());
    socket.on("message", (data: Buffer) => this.#take(socket, JSON.parse(data.toString()) as Message));
    if (!this.silent) say(socket, { op: GatewayOpcodes.Hello, d: { heartbeat_interval: this.heartbeatMs } });
  }

  #take(socket: WebSocket, { op, d }: Message): void {
    this.log.push(GatewayOpcodes[op] ?? String(op));
    if (op === GatewayOpcodes.Heartbeat) {
      if (this.acknowledges) say(socket, { op: GatewayOpcodes.HeartbeatAck, d: null });
      return;
    }
    const fields = d as Readonly<Record<string, unknown>>;
    if (op !== GatewayOpcodes.Identify && op !== GatewayOpcodes.Resume) {
      return socket.close(GatewayCloseCodes.UnknownOpcode);
    }
    (op === GatewayOpcodes.Identify ? this.identified : this.resumed).push(fields);
    const resumable = this.invalidations.shift();
    if (resumable !== undefined) return say(socket, { op: GatewayOpcodes.InvalidSession, d: resumable });
    if (this.refuses || fields["token"] !== this.#options.token())
      return socket.close(GatewayCloseCodes.AuthenticationFailed);
    if (op === GatewayOpcodes.Identify) this.#identify(socket, Number(fields["intents"]));
    else this.#resume(socket, fields);
  }

  #identify(socket: WebSocket, intents: number): void {
    if ((intents & ~this.#options.intents()) !== 0) return socket.close(GatewayCloseCodes.DisallowedIntents);
    if ((intents & GatewayIntentBits.Guilds) === 0) return socket.close(GatewayCloseCodes.InvalidIntents);
    const session: Session = { id: randomBytes(16).toString("hex"), sent: [], socket };
    // A bot has one session here: Discord lets an abandoned one time out.
    this.#sessions.clear();
    this.#sessions.set(session.id, session);
    send(session, "READY", {
      v: 10,
      session_id: session.id,
      resume_gateway_url: this.resumeUrl ?? this.#options.url(),
      ...this.#options.ready(),
    });
    for (const guild of this.#options.guilds()) send(session, "GUILD_CREATE", guild);
  }

  #resume(socket: WebSocket, { session_id: id, seq }: Readonly<Record<string, unknown>>): void {
    const session = this.#sessions.get(String(id));
    if (session === undefined || !this.resumes) {
      return say(socket, { op: GatewayOpcodes.InvalidSession, d: false });
    }
    if (typeof seq !== "number" || seq > session.sent.length) return socket.close(GatewayCloseCodes.InvalidSeq);
    session.socket = socket;
    for (const event of session.sent.slice(seq)) say(socket, { op: GatewayOpcodes.Dispatch, ...event });
    send(session, "RESUMED", {});
  }
}

function send(session: Session, t: string, d: unknown): void {
  const event = { t, s: session.sent.length + 1, d };
  session.sent.push(event);
  if (session.socket !== null) say(session.socket, { op: GatewayOpcodes.Dispatch, ...event });
}

function say(socket: WebSocket, message: object): void {
  socket.send(JSON.stringify(message));
}
