/** Tags choose which workers take a task. */
import { HermesError } from "#core/errors";
import type { Task } from "#core/ports/tasks";
import type { Worker } from "#core/ports/workers";

const TAG = /^[A-Za-z0-9._-]{1,40}$/;

/** Checks a tag. Throws HERMES_USAGE. */
export function checkedTag(flag: string, tag: string): string {
  if (TAG.test(tag)) return tag;
  const problem = `${flag} takes 1 to 40 letters, digits, ".", "_" and "-", not ${JSON.stringify(tag)}.`;
  throw new HermesError("HERMES_USAGE", { problem });
}

/** The tags in `gpu,repo-x`. Throws HERMES_USAGE. */
export function tagList(flag: string): (text: string) => readonly string[] {
  return (text) => [...new Set(text.split(",").map((tag) => checkedTag(flag, tag.trim())))];
}

/** A sentence for a task that waits for a worker with its tag; undefined for others. */
export function waitsForTag({ status, tag }: Task, workers: readonly Worker[]): string | undefined {
  if (status !== "queued" || tag === undefined || workers.some(({ tags }) => tags.includes(tag))) return undefined;
  return `The task waits: no running worker has the tag ${tag}. "hermes worker --tags ${tag}" starts one.`;
}
