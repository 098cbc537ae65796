/** Renders the frames of a turn as text, as one JSON document, or as JSON lines. */
import { visible } from "#allowlist/visible";
import type { Frame, FrameOf } from "#core/frames";
import { escapeLineEnds } from "#core/line-endings";
import type { TurnProgress } from "#core/ports/agent";
import { truncate } from "#core/truncate";
import { unmarkUntrusted } from "#daemon/inbound/untrusted";
import type { CliContext } from "../context.ts";
import { whereExplained } from "../report-error.ts";
import { compactedText } from "./context-meter.ts";
import type { TurnDisplay } from "./turn-display.ts";

export const OUTPUT_FORMATS = ["text", "json", "stream-json"] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export interface Renderer {
  /** Loads what the first answer needs; called before each turn. */
  readonly prepare?: () => Promise<void>;
  readonly show: (frame: Frame) => void;
  /** Takes what a turn does at the moment. */
  readonly progress?: (progress: TurnProgress) => void;
  /** Completes the open line or document. */
  readonly finish: () => void;
}

/** Whether the model's reasoning is shown; changed by `/reasoning`. */
export interface ReasoningSwitch {
  on: boolean;
}

/** Where the text of answers goes. */
export interface AnswerOutput {
  /** Takes a part of an answer, which may end anywhere. */
  words(text: string): void;
  /** Takes a part of the model's reasoning. */
  thoughts(text: string): void;
  /** Completes what has begun. */
  end(): void;
}

export interface RendererOptions {
  readonly format: OutputFormat;
  /** `-Q`: the answer alone. */
  readonly quiet: boolean;
  /** True when text may be shown as it arrives, because no hook will replace it. Called for each answer. */
  readonly streaming: () => boolean;
  readonly reasoning: ReasoningSwitch;
  /** How tool calls and hooks are shown on a terminal; absent elsewhere. */
  readonly display?: TurnDisplay | undefined;
  /** Where answers go; to standard output as they are when absent. */
  readonly answers?: AnswerOutput | undefined;
  readonly context: Pick<CliContext, "out" | "note" | "faint" | "faintPart" | "write" | "json">;
}

export function createRenderer(options: RendererOptions): Renderer {
  if (options.format === "stream-json") return streamRenderer(options);
  if (options.format === "json") return documentRenderer(options);
  return options.quiet ? answerRenderer(options) : textRenderer(options);
}

function streamRenderer({ context }: RendererOptions): Renderer {
  return {
    show(frame) {
      const { type, session_id, ...rest } = frame;
      context.out(escapeLineEnds(JSON.stringify({ type, session_id, ...rest })));
      noteProblem(context, frame);
    },
    finish: () => undefined,
  };
}

function answerRenderer({ context }: RendererOptions): Renderer {
  return {
    show(frame) {
      if (frame.type === "assistant" && frame.content !== "") context.out(frame.content);
      noteProblem(context, frame);
    },
    finish: () => undefined,
  };
}

/** Writes answers as they are to standard output, and reasoning to standard error. */
export function plainAnswers(context: Pick<CliContext, "write" | "faint" | "faintPart">): AnswerOutput {
  /** What has begun a line that is not complete. */
  let open: "words" | "thoughts" | undefined;

  function end(): void {
    if (open === "words") context.write("\n");
    if (open === "thoughts") context.faint("");
    open = undefined;
  }

  return {
    words(text) {
      if (text === "") return;
      if (open === "thoughts") end();
      context.write(text);
      open = text.endsWith("\n") ? undefined : "words";
    },
    thoughts(text) {
      if (open === "words") end();
      const shown = open === undefined ? text.trimStart() : text;
      if (shown === "") return;
      context.faintPart(shown);
      open = "thoughts";
    },
    end,
  };
}

/** Shows the text of turns; tool calls and errors go to standard error. */
function textRenderer(options: RendererOptions): Renderer {
  const { context, streaming, reasoning, display, answers = plainAnswers(context) } = options;
  let streamed = false;
  return {
    show(frame) {
      switch (frame.type) {
        case "text":
          streamed ||= streaming();
          return streamed ? answers.words(frame.delta) : undefined;
        case "reasoning":
          // A hook that may change the answer may have reasons to hide what led to it.
          return reasoning.on && streaming() ? answers.thoughts(frame.delta) : undefined;
        case "assistant":
          if (!streamed) answers.words(frame.content);
          streamed = false;
          answers.end();
          return noteProblem(context, frame);
        case "tool_use":
          answers.end();
          streamed = false;
          if (display !== undefined) return display.show(frame);
          return context.faint(`· ${frame.tool} ${shorten(JSON.stringify(frame.params))}`);
        case "tool_result":
          if (display !== undefined) return display.show(frame);
          return frame.success ? undefined : context.faint(`  ${shorten(frame.content)}`);
        case "injected":
          answers.end();
          return context.faint(describeInjected(frame));
        case "error":
          answers.end();
          return noteProblem(context, frame);
        case "session":
          // A turn that was stopped while the answer arrived never ended its line.
          streamed = false;
          return display?.show(frame);
        case "hook":
          return display?.show(frame);
        case "compacted":
          answers.end();
          return context.faint(compactedText(frame));
        case "cost":
        case "result":
          return undefined;
      }
    },
    progress: (progress) => display?.progress(progress),
    finish: () => answers.end(),
  };
}

/** Writes one JSON document about the turn at its end. */
function documentRenderer({ context }: RendererOptions): Renderer {
  const document: Record<string, unknown> = { session_id: null, content: null };
  const hooks: Frame[] = [];
  const tools: Frame[] = [];
  return {
    show(frame) {
      const { type, session_id, ...rest } = frame;
      document["session_id"] = session_id;
      if (type === "session" || type === "result" || type === "cost" || type === "assistant")
        Object.assign(document, rest);
      if (frame.type === "error") {
        document["error"] = { message: frame.message, code: frame.code };
      }
      noteProblem(context, frame);
      if (type === "hook") hooks.push(frame);
      if (type === "tool_use" || type === "tool_result") tools.push(frame);
    },
    finish() {
      // Without a session nothing happened; the error that kept it from starting is the document.
      if (document["session_id"] !== null)
        context.json({ ...document, tools: tools.map(bare), hooks: hooks.map(bare) });
    },
  };
}

/** Says on standard error what went wrong with a turn or its answer. */
function noteProblem(context: RendererOptions["context"], frame: Frame): void {
  if (frame.type === "error") {
    context.note(`hermes: ${frame.message}`);
    if (process.stderr.isTTY) context.faint(whereExplained(frame.code));
  }
  if (frame.type === "assistant" && frame.notice !== undefined) context.note(`hermes: ${frame.notice}`);
}

/** Where text came from that the user did not write here, and its beginning; of a stranger's, without the marks. */
function describeInjected({ source_kind: kind, source_label: label, content }: FrameOf<"injected">): string {
  const words = kind === "webhook" ? unmarkUntrusted(content) : content;
  return `+ ${visible(`${kind} ${label}`)}: ${shorten(words)}`;
}

function bare({ session_id: _, ...frame }: Frame): object {
  return frame;
}

function shorten(text: string): string {
  return visible(truncate(text, 200));
}
