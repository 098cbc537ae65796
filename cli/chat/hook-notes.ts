/** What hooks did, on a terminal: a block in red, a failure in yellow and once for each hook, everything else faint. */
import { isCommandEvent } from "#core/command-events";
import type { HookRun } from "#core/ports/hook";
import { styled, type Style, type StyledLine } from "#core/styled-text";
import { visible } from "#allowlist/visible";
import { declarationOf, isEventName } from "#core/events";
import { truncate } from "#core/truncate";
import { wrapWords } from "../text-width.ts";
import { shortHookName, withoutName } from "./hook-name.ts";

/** A run, or the frame of one. */
export type ShownRun = Pick<HookRun, "event" | "name" | "outcome" | "detail" | "tool_call_id"> & {
  readonly cause?: HookRun["cause"];
  readonly notice?: string;
};

const LONGEST = 500;
const NARROWEST = 20;

/** Of one conversation. */
export class HookNotes {
  /** How often each hook failed in this session. */
  #failures = new Map<string, number>();
  #session: string | undefined;

  /** The lines about a run; none when a person need not know about it, or knows already that this hook fails. */
  lines(run: ShownRun, width: number): readonly StyledLine[] {
    const indent = run.tool_call_id === null ? "" : "  ";
    if (isFailure(run) && !this.#isFirst(run.name)) return [];
    const [mark, text, style] = sentenceOf(run);
    if (text === "") return [];
    return wrapWords(text, Math.max(NARROWEST, width - indent.length - 2)).map((line, index) => [
      styled(`${indent}${index === 0 ? mark : " "} ${line}`, style),
    ]);
  }

  /** A session begins or goes on: the lines about the failures of the one before. */
  session(id: string): readonly StyledLine[] {
    const isOther = this.#session !== undefined && this.#session !== id;
    this.#session = id;
    return isOther ? this.end() : [];
  }

  /** How often hooks failed beyond the failure that was shown. */
  end(): readonly StyledLine[] {
    const failures = [...this.#failures].filter(([, times]) => times > 1);
    this.#failures = new Map();
    return failures.map(([name, times]) => [
      styled(
        `! ${shortHookName(name)} failed ${times} times in this session; "hermes hooks log" shows each.`,
        "yellow",
      ),
    ]);
  }

  #isFirst(name: string): boolean {
    const times = (this.#failures.get(name) ?? 0) + 1;
    this.#failures.set(name, times);
    return times === 1;
  }
}

function sentenceOf(run: ShownRun): readonly [mark: string, text: string, style: Style] {
  const who = shortHookName(run.name);
  const reason = run.detail === null ? "" : inLine(withoutName(run.detail, run.name));
  const isCommand = isCommandEvent(run.event);
  const because = reason === "" ? "" : ` (${reason})`;
  switch (run.outcome) {
    case "block":
      if (run.cause) return ["✗", `blocked, because the guard ${who} ${reason}`, "red"];
      return [
        "✗",
        `${isCommand ? `${commandOf(run)} is ` : ""}blocked by ${who}${reason === "" ? "" : `: ${reason}`}`,
        "red",
      ];
    case "error":
    case "timeout":
      return ["!", `${who} ${reason === "" ? `failed at ${run.event}` : reason}`, "yellow"];
    case "modify":
      return ["~", `${who} changed the arguments${because}`, "dim"];
    case "transform":
      return ["~", `${who} replaced the ${subjectOf(run)}${because}`, "dim"];
    case "rewrite":
      return ["~", `${who} rewrote ${messageOf(run)}${because}`, "dim"];
    case "skip":
      return ["~", `${who} ${isCommand ? "handled" : "skipped"} ${messageOf(run)}${because}`, "dim"];
    case "context":
      return ["+", `${who} added context${because}`, "dim"];
    case "ask":
      // The question says who asks; where nobody can be asked, the call's result does.
      return ["?", "", "dim"];
    case "pass":
      return ["·", reason === "" ? "" : `${who}: ${reason}`, "dim"];
  }
}

function inLine(text: string): string {
  return visible(truncate(text.trim().replaceAll(/\s*\n\s*/g, " ⏎ "), LONGEST));
}

function isFailure({ outcome }: ShownRun): boolean {
  return outcome === "error" || outcome === "timeout";
}

function subjectOf({ event }: ShownRun): string {
  return (isEventName(event) ? declarationOf(event).subject : undefined) ?? "text";
}

function messageOf(run: ShownRun): string {
  return isCommandEvent(run.event) ? commandOf(run) : "a message";
}

function commandOf({ event }: ShownRun): string {
  return visible(event.replace("command:", "/"));
}
