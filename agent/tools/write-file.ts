import { dirname } from "node:path";
import { ensureFolder } from "#core/home/paths";
import type { Tool } from "#core/ports/agent";
import { pathArgument, textArgument } from "./arguments.ts";
import { codeOf, describeFileError, findPlace, type ResolvedPath, statFile, type ToolDeps } from "./resolved-path.ts";
import { writeText } from "./text-files.ts";

/** `write_file`: creates or replaces a text file atomically. */
export function createWriteFile(deps: ToolDeps): Tool {
  return {
    name: "write_file",
    description:
      "Writes a UTF-8 text file and replaces an existing one. Creates missing folders. To change part of a file, use patch.",
    parameters: {
      type: "object",
      properties: {
        path: { type: "string", description: "The file: absolute, relative to the working directory, or with ~" },
        content: { type: "string", description: "The complete new content" },
      },
      required: ["path", "content"],
      additionalProperties: false,
    },
    async execute(args, call) {
      const shown = pathArgument(args, "path");
      const content = textArgument(args, "content");
      if (shown.endsWith("/")) throw new Error(`${shown} is a folder; give the path of a file`);
      const place = findPlace(shown, "write", call, deps);
      call.signal.throwIfAborted();
      const existed = await isThere(place);
      if (!existed) makeFolder(place);
      await writeText(place, content, call.signal);
      return { path: place.spelled, bytes: Buffer.byteLength(content), created: !existed };
    },
  };
}

/** True for a regular file, false when nothing exists; anything else is an error. */
async function isThere(place: ResolvedPath): Promise<boolean> {
  try {
    await statFile(place);
    return true;
  } catch (error) {
    if (error instanceof Error && codeOf(error.cause) === "ENOENT") return false;
    throw error;
  }
}

function makeFolder(place: ResolvedPath): void {
  try {
    ensureFolder(dirname(place.path), 0o777);
  } catch (error) {
    throw new Error(describeFileError(error, place), { cause: error });
  }
}
