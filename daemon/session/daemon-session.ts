/** A session that stays: its inbox, its schedules, its background tasks and skills, and the clients that talk to it. */
import { HermesError } from "#core/errors";
import type { Frame } from "#core/frames";
import type { Log } from "#core/home/log";
import { MOST_QUEUED, totalOf, type AddedMessage, type NewInboxMessage } from "#core/ports/inbox";
import type { AgentRunner, Session, Tool } from "#core/ports/agent";
import type { DaemonToolsPort } from "#core/ports/daemon-tools";
import type { HookAddress } from "#core/ports/inbound";
import type { DaemonReport, RunningState } from "#core/ports/daemon-directory";
import type { Storage } from "#core/ports/storage";
import type { ProcessIdentity } from "#core/ports/tasks";
import { InboxLoop } from "#daemon/inbox/inbox-loop";
import { addSchedule } from "#daemon/schedules/add";
import { ScheduleClock } from "#daemon/schedules/schedule-clock";
import type { Skills } from "#daemon/skills/skills";
import { TaskReports, type TaskReportsOptions } from "#daemon/tasks/task-reports";
import { Presence } from "./presence.ts";
import { announceDaemon, type DaemonFiles } from "./place.ts";
import { SessionServer, type Client } from "./server.ts";
import type { DaemonRequest, DaemonStatus } from "./wire.ts";

export interface DaemonSessionOptions {
  readonly name: string;
  /** The conversation of now: one that was deleted meanwhile is replaced. */
  readonly session: () => Session;
  readonly platform: string;
  readonly files: DaemonFiles;
  readonly identity: ProcessIdentity;
  /** False in a process that runs something else, too. */
  readonly ownsProcess: boolean;
  /** The names of its inbound webhooks. */
  readonly hooks: readonly string[];
  /** Where it takes their requests. */
  readonly addresses: readonly HookAddress[];
  readonly runner: Pick<AgentRunner, "turn" | "inject">;
  readonly storage: Pick<Storage, "inbox" | "schedules" | "daemons" | "now" | "onWake">;
  readonly background: Pick<TaskReportsOptions, "tasks" | "folder" | "outputs" | "settings" | "keepRunning">;
  readonly skills: Skills;
  /** Makes the tools that the agent has in this session only. */
  readonly tools: (port: DaemonToolsPort) => readonly Tool[];
  /** Of the inbox, as it is configured now. */
  readonly order: () => "priority" | "fifo";
  /** Takes every frame; clients that are attached get it, too. */
  readonly onFrame: (frame: Frame) => void;
  /** Called when a client asks the session to stop. */
  readonly onStop: () => void;
  readonly log: Log;
}

/** A message from elsewhere in this process, such as an inbound webhook. */
export type Posted = Omit<NewInboxMessage, "session">;

/** How long messages that have ended are kept. */
const KEEP_MS = 30 * 86_400_000;
const DAY_MS = 86_400_000;

export class DaemonSession implements DaemonToolsPort {
  readonly #options: DaemonSessionOptions;
  readonly #loop: InboxLoop;
  readonly #clock: ScheduleClock;
  readonly #reports: TaskReports;
  readonly #listeners = new Set<(frame: Frame) => void>();
  readonly #startedAt = new Date().toISOString();
  readonly #undo = new AsyncDisposableStack();
  #drained: Promise<void> | undefined;

  constructor(options: DaemonSessionOptions) {
    const { name, skills, order, log } = options;
    const { inbox, schedules, now } = options.storage;
    const { session, platform, runner, identity: holder } = options;
    this.#options = options;
    const onMessage = () => this.#loop.wake();
    this.#clock = new ScheduleClock({ name, store: schedules, onMessage, log, now });
    this.#reports = new TaskReports({ ...options.background, name, inbox, onMessage, log });
    this.#loop = new InboxLoop({
      name,
      store: inbox,
      holder,
      session,
      platform,
      runner,
      order,
      onFrame: (frame) => this.#show(frame),
      beforeTurn: () => skills.refresh(),
      tools: () => options.tools(this),
      log,
    });
  }

  get name(): string {
    return this.#options.name;
  }

  get state(): RunningState {
    if (this.#drained !== undefined) return "draining";
    return this.#loop.isRunning ? "running" : "idle";
  }

  /**
   * Listens, and handles what is in the inbox; the caller has the name for itself in this home. Throws
   * HERMES_DAEMON_START, HERMES_DAEMON_RUNNING for a name that runs on another machine, and what the stores throw.
   */
  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      await this.#undo.disposeAsync();
      throw error;
    }
  }

  async #start(): Promise<void> {
    const { name, storage, files, log, session, hooks, addresses } = this.#options;
    const { inbox } = storage;
    await this.#hold();
    const lost = await inbox.cutAbandoned(name);
    if (lost.length > 0) log.error("messages failed, because their turns were cut too often", { ids: lost });
    await this.#prune();
    await this.#options.skills.refresh();
    try {
      const server = await SessionServer.listen(files.socket, (request, client) => this.#handle(request, client));
      this.#undo.defer(() => server.close());
      const { socket } = files;
      const owns_process = this.#options.ownsProcess;
      const started_at = this.#startedAt;
      const entry = { name, session_id: session().id, socket, owns_process, hooks, addresses, started_at };
      this.#undo.defer(announceDaemon(files.entry, entry));
    } catch (error) {
      throw new HermesError("HERMES_DAEMON_START", { name, problem: (error as Error).message }, { cause: error });
    }
    const daily = setInterval(() => void this.#prune(), DAY_MS);
    this.#undo.defer(() => clearInterval(daily));
    await this.#clock.look();
    await this.#reports.look();
    this.#loop.start();
  }

  /** Puts a message into the inbox. When it has resolved, the message is stored. */
  async post(message: Posted): Promise<AddedMessage> {
    const added = await this.#options.storage.inbox.add({ ...message, session: this.#options.name });
    if (added.kind === "stored") this.#loop.wake(message.source);
    return added;
  }

  /**
   * Takes no more messages, gives the running turn this time, and then stops listening. What waits stays for the next
   * start.
   */
  drain(ms: number): Promise<void> {
    return (this.#drained ??= this.#end(ms));
  }

  async #end(ms: number): Promise<void> {
    await this.#clock.stop();
    await this.#reports.stop();
    await this.#loop.drain(ms);
    await this.#undo.disposeAsync();
  }

  async status(): Promise<DaemonStatus> {
    const { name, storage, identity } = this.#options;
    const queued = totalOf(await storage.inbox.queued(name));
    const { session_id, state, hooks } = this.#report();
    return { name, session_id, pid: identity.pid, state, queued, hooks, started_at: this.#startedAt };
  }

  async schedule({ when, prompt }: { when: string; prompt: string }): Promise<{ id: string; next_at: string }> {
    const { name, storage } = this.#options;
    const now = new Date(await storage.now());
    const { id, next_at } = await addSchedule(storage.schedules, { name, when, prompt }, now);
    void this.#clock.look();
    return { id, next_at };
  }

  async runInBackground(task: { prompt: string; cwd: string }): Promise<{ id: string }> {
    const { id } = await this.#reports.submit(task);
    return { id };
  }

  skills(): ReturnType<DaemonToolsPort["skills"]> {
    return this.#options.skills.list();
  }

  async useSkill(name: string): Promise<void> {
    const content = this.#options.skills.contentOf(name);
    const added = await this.post({ source: "skill", label: name, content });
    if (added.kind === "full") throw full(this.#options.name);
  }

  #show(frame: Frame): void {
    this.#options.onFrame(frame);
    for (const listener of this.#listeners) listener(frame);
  }

  /** Takes the name for this process where others can have it, too, and listens to what they store. */
  async #hold(): Promise<void> {
    const { storage, name, onStop, log } = this.#options;
    const wake = () => this.#loop.wake();
    if (storage.daemons === undefined) return;
    const { daemons } = storage;
    const presence = await Presence.begin({ daemons, name, report: () => this.#report(), onQueued: wake, onStop, log });
    this.#undo.use(presence);
    const heard = storage.onWake((kind, session) => {
      if (session !== undefined && session !== name) return;
      if (kind === "inbox") wake();
      if (kind === "schedules") void this.#clock.look();
      if (kind === "daemons") void presence.beat();
    });
    this.#undo.use(heard);
  }

  #report(): DaemonReport {
    const { session, hooks } = this.#options;
    return { session_id: session().id, state: this.state, hooks };
  }

  async #prune(): Promise<void> {
    await this.#options.storage.inbox.prune(new Date(Date.now() - KEEP_MS)).catch((error: unknown) => {
      this.#options.log.error("old messages cannot be deleted", { problem: (error as Error).message });
    });
  }

  async #handle(request: DaemonRequest, client: Client): Promise<void> {
    switch (request.type) {
      case "send":
        return this.#send(request, client);
      case "status":
        return client.answer({ type: "status", ...(await this.status()) });
      case "attach":
        return this.#attach(client);
      case "wake":
        void this.#clock.look();
        this.#loop.wake();
        return client.answer({ type: "woken" });
      case "stop":
        client.answer({ type: "stopping" });
        return this.#options.onStop();
    }
  }

  async #send({ content, wait }: Extract<DaemonRequest, { type: "send" }>, client: Client): Promise<void> {
    const { storage, name } = this.#options;
    const added = await storage.inbox.add({ session: name, source: "inject", label: "send", content });
    if (added.kind !== "stored") throw full(name);
    const { id } = added;
    client.answer({ type: "stored", id });
    if (wait) void this.#loop.whenHandled(id).then((handled) => client.answer({ type: "handled", id, ...handled }));
    this.#loop.wake("inject");
  }

  #attach(client: Client): void {
    const listener = (frame: Frame) => client.answer({ type: "frame", frame });
    client.answer({ type: "attached", session_id: this.#options.session().id });
    this.#listeners.add(listener);
    client.gone.addEventListener("abort", () => void this.#listeners.delete(listener), { once: true });
  }
}

function full(name: string): HermesError {
  return new HermesError("HERMES_INBOX_FULL", { name, most: MOST_QUEUED });
}
