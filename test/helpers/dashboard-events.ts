/** Events as conversations, gateways and daemons send them, for tests of the page. */

export interface EventFrame {
  readonly event_type: string;
  readonly context: Readonly<Record<string, unknown>>;
  readonly src: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** The events of one session of one process, in the form of CONTRACT §9. */
export class Conversation {
  readonly frames: EventFrame[] = [];
  readonly id: string;
  readonly src: string;
  readonly platform: string;
  readonly user: string;
  #calls = 0;
  /** The call that runs, whose hooks name it. */
  #open: string | null = null;

  constructor(id: string, { src = "cli", platform = "cli", user = "" } = {}) {
    this.id = id;
    this.src = src;
    this.platform = platform;
    this.user = user;
  }

  event(event_type: string, fields: Fields = {}): this {
    const { id: session_id, platform, user: user_id } = this;
    this.frames.push({ event_type, context: { platform, user_id, session_id, ...fields }, src: this.src });
    return this;
  }

  tui(name: string, payload: Fields = {}): this {
    this.frames.push({ event_type: `tui:${name}`, context: { session_id: this.id, payload }, src: this.src });
    return this;
  }

  begin(model = "claude-sonnet"): this {
    this.tui("session.info", { model, platform: this.platform, resumed: false });
    return this.event("session:start", { session_key: `agent:main:${this.platform}:dm:${this.id}` });
  }

  ask(message: string): this {
    return this.event("agent:start", { message });
  }

  hook(event: string, name: string, outcome: string, duration_ms: number, more: Fields = {}): this {
    const frame = { event, source: "shell", name, outcome, duration_ms, detail: null, tool_call_id: this.#open };
    return this.tui("hook.complete", { ...frame, ...more });
  }

  call(name: string, params: Fields, content: Fields, options: { success?: boolean; between?: () => void } = {}): this {
    const tool_id = `call_${++this.#calls}`;
    this.event("agent:step", { iteration: this.#calls, tool_names: [name] });
    this.tui("tool.start", { name, tool_id, params });
    this.#open = tool_id;
    options.between?.();
    this.#open = null;
    return this.tui("tool.complete", {
      name,
      tool_id,
      success: options.success ?? true,
      content: JSON.stringify(content),
    });
  }

  /** The answer as it is streamed, and the end of the turn. */
  answer(text: string, duration_ms = 3200, tokens: readonly [number, number] = [1204, 188]): this {
    this.tui("message.start");
    for (const word of text.split(/(?<=\s)/)) this.tui("message.delta", { text: word });
    this.tui("message.complete", { text });
    this.event("agent:end", { message: "", response: text });
    this.tui("status.update", { input_tokens: tokens[0], output_tokens: tokens[1] });
    return this.tui("turn.complete", { completed: true, interrupted: false, duration_ms });
  }

  end(): this {
    return this.event("session:end", { session_key: `agent:main:${this.platform}:dm:${this.id}` });
  }
}

/** What a person sees on an ordinary day: a finished session, a conversation with a blocked call, a gateway, a daemon. */
export function ordinaryDay(): EventFrame[] {
  const { frames: review } = new Conversation("sess_0mabc1f00d90e1a2b3", { src: "daemon", platform: "daemon" })
    .begin("offline")
    .ask("Summarise the changes of the last night.")
    .hook("pre_llm_call", "inject-git-status", "context", 31)
    .call("terminal", { command: "git log --since=yesterday --oneline" }, { output: "4 commits", exit_code: 0 })
    .answer("Four commits landed: two fixes in the parser, a test for the cache, and the change log.")
    .end();
  return [
    { event_type: "gateway:startup", context: { platforms: ["telegram", "api_server"] }, src: "gateway" },
    ...review,
    ...telegramChat(),
    ...chatWithBlock(),
  ];
}

function telegramChat(): EventFrame[] {
  const chat = new Conversation("sess_0mabc2beefa9c3d4e5", { src: "gateway", platform: "telegram", user: "48213077" });
  chat.begin("claude-haiku").event("command:model", { command: "model", args: "claude-haiku" });
  chat.ask("Is the backup done?");
  chat.hook("pre_llm_call", "inject-git-status", "timeout", 5003, { detail: "it ran longer than 5 s" });
  chat.call("search_files", { pattern: "backup.*ok", path: "/var/log" }, { matches: ["backup.log:12: backup ok"] });
  chat.answer("Yes. The log of 03:12 ends with “backup ok”.", 2100, [812, 64]);
  return chat.frames;
}

function chatWithBlock(): EventFrame[] {
  const chat = new Conversation("sess_0mabc3cafe17f6a7b8").begin();
  chat.hook("on_session_start", "session-notes", "pass", 4, { source: "plugin" });
  chat.ask("Clean up the build folder and run the tests.\nTell me what failed.");
  chat.hook("pre_llm_call", "inject-git-status", "context", 28);
  chat.tui("injected", { source_kind: "schedule", source_label: "nightly", content: "The disk is 91 % full." });
  chat.call(
    "terminal",
    { command: "rm -rf / --no-preserve-root build" },
    { error: "rm -rf is not for agents" },
    {
      success: false,
      between: () =>
        chat
          .hook("pre_tool_call", "~/.hermes/agent-hooks/no-rm.sh", "block", 12, { detail: "rm -rf is not for agents" })
          .hook("post_tool_call", "audit-log", "error", 7, { source: "worker", detail: "audit-log: the disk is full" }),
    },
  );
  chat.call(
    "terminal",
    { command: "rm -r build && npm test", timeout: 300 },
    { output: "42 passed, 1 failed", exit_code: 1 },
    {
      between: () =>
        chat
          .hook("pre_tool_call", "~/.hermes/agent-hooks/no-rm.sh", "pass", 11)
          .hook("pre_tool_call", "timeouts", "modify", 2, { source: "plugin" }),
    },
  );
  chat.call(
    "read_file",
    { path: "test/cache.test.ts", offset: 40, limit: 30 },
    { content: "test('evicts the oldest'…", lines: 30 },
  );
  chat.answer(
    "The build folder is gone and the tests ran: 42 passed, 1 failed. The cache keeps one entry too many: “evicts the oldest” expects 100 and gets 101.",
  );
  chat.ask("Fix it.");
  chat.hook("pre_llm_call", "inject-git-status", "context", 30);
  chat.tui("tool.start", {
    name: "patch",
    tool_id: "call_9",
    params: { path: "src/cache.ts", old_string: "size > limit", new_string: "size >= limit" },
  });
  return chat.frames;
}
