/** Changes config.yaml and keeps its comments, order, indentation and mode. */
import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Document } from "yaml";
import { HermesError, problemOf } from "#core/errors";
import { ensureFolder } from "#core/home/paths";
import { replaceFile } from "#core/replace-file";

/** The text of the file; empty if there is none. */
export function readConfigText(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/** The text after the change. The caller has read the configuration, so it is valid. */
export async function editConfigText(text: string, change: (document: Document) => void): Promise<string> {
  const { parseDocument, isMap } = await import("yaml");
  const document: Document = parseDocument(text);
  if (!isMap(document.contents)) {
    // Empty, or comments alone: those stay above the first key.
    const { commentBefore, comment } = document;
    document.contents = document.createNode({});
    document.commentBefore = [commentBefore, comment].filter(Boolean).join("\n") || null;
    document.comment = null;
  }
  change(document);
  return document.toString({ lineWidth: 0, ...styleOf(text) });
}

/**
 * Replaces the file atomically, creating it (0600) if needed. With `isSecret`, an existing file becomes 0600, too.
 * Throws HERMES_CONFIG_WRITE.
 */
export async function writeConfigText(file: string, text: string, { isSecret = false } = {}): Promise<void> {
  const exists = existsSync(file);
  try {
    if (!exists) ensureFolder(dirname(file));
    await replaceFile(file, text, exists && !isSecret ? {} : { mode: 0o600 });
  } catch (error) {
    throw new HermesError("HERMES_CONFIG_WRITE", { file, problem: problemOf(error) }, { cause: error });
  }
}

/** The file's indentation, which the edit keeps. */
function styleOf(text: string): { indent: number; indentSeq: boolean; flowCollectionPadding: boolean } {
  const indent = /^( +)\S/m.exec(text)?.[1]?.length ?? 2;
  return {
    indent: Math.min(8, Math.max(2, indent)),
    indentSeq: !/^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n\1- /m.test(text),
    flowCollectionPadding: text.includes("{ "),
  };
}
