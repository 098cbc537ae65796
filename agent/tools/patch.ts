import type { Tool } from "#core/ports/agent";
import { flagArgument, pathArgument, textArgument } from "./arguments.ts";
import { findPlace, type ResolvedPath, type ToolDeps } from "./resolved-path.ts";
import { readText, writeText } from "./text-files.ts";

/** `patch`: replaces text in a file. */
export function createPatch(deps: ToolDeps): Tool {
  return {
    name: "patch",
    description:
      "Replaces `old_string` with `new_string` in a UTF-8 text file. `old_string` must match exactly once; " +
      "include enough surrounding lines, or set `replace_all`.",
    parameters: {
      type: "object",
      properties: {
        path: { type: "string", description: "The file: absolute, relative to the working directory, or with ~" },
        old_string: { type: "string", minLength: 1, description: "The text to replace" },
        new_string: { type: "string", description: "The replacement text" },
        replace_all: { type: "boolean", description: "Replace every occurrence" },
      },
      required: ["path", "old_string", "new_string"],
      additionalProperties: false,
    },
    async execute(args, call) {
      const place = findPlace(pathArgument(args, "path"), "write", call, deps);
      const edit = {
        old: textArgument(args, "old_string"),
        new: textArgument(args, "new_string"),
        all: flagArgument(args, "replace_all"),
      };
      if (edit.old === "") throw new Error('"old_string" must not be empty; to write a whole file, use write_file');
      if (edit.old === edit.new) throw new Error('"old_string" and "new_string" are the same; nothing to change');
      const { text, replacements } = applyEdit(await readText(place, call.signal), edit, place);
      await writeText(place, text, call.signal);
      return { path: place.spelled, replacements };
    },
  };
}

interface Edit {
  readonly old: string;
  readonly new: string;
  readonly all: boolean;
}

function applyEdit(text: string, edit: Edit, place: ResolvedPath): { text: string; replacements: number } {
  const { old, new: replacement } = alignLineEnds(text, edit);
  if (old === replacement)
    throw new Error('"old_string" and "new_string" only differ in line endings; nothing to change');
  const pieces = text.split(old);
  const found = pieces.length - 1;
  if (found === 0) throw new Error(`"old_string" was not found in ${place.shown}.${hintAt(text, old)}`);
  if (found > 1 && !edit.all) {
    throw new Error(
      `"old_string" occurs ${found} times in ${place.shown}: include more of the surrounding text, or set replace_all`,
    );
  }
  return { text: pieces.join(replacement), replacements: found };
}

/** In a file whose lines all end with CR LF, the model's line feeds mean CR LF. */
function alignLineEnds(text: string, edit: Edit): { old: string; new: string } {
  const crlf = text.includes("\r\n") && !/(?<!\r)\n/.test(text);
  if (!crlf) return edit;
  const align = (part: string) => part.replaceAll(/\r?\n/g, "\r\n");
  return { old: align(edit.old), new: align(edit.new) };
}

/** Where the text would match if whitespace were ignored. */
function hintAt(text: string, old: string): string {
  const wanted = old.trim().split(/\r?\n/)[0]?.trim() ?? "";
  if (wanted === "") return "";
  const line = text.split("\n").findIndex((candidate) => candidate.includes(wanted));
  return line === -1
    ? ""
    : ` Line ${line + 1} looks like its beginning; whitespace and line endings must match exactly.`;
}
