/** Changes `plugins.enabled` and `plugins.disabled` in config.yaml, and leaves everything else unchanged. */
import { existsSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Document, YAMLSeq } from "yaml";
import { HermesError, problemOf } from "#core/errors";
import { ensureFolder } from "#core/home/paths";
import { replaceFile } from "#core/replace-file";

type ListName = "enabled" | "disabled";

export interface ListEdit {
  /** Taken out of the list `from`, whichever of them is there. */
  readonly remove: readonly string[];
  readonly from: ListName;
  /** Put into the list `to`, unless one of `remove` is there. */
  readonly add: string;
  readonly to: ListName;
}

/**
 * Edits the file, creating it (0600) if needed; comments, order and mode stay. Returns the file's path.
 * The caller has read the configuration, so it is valid. Throws HERMES_CONFIG_WRITE.
 */
export async function editPluginLists(file: string, edit: ListEdit): Promise<string> {
  const exists = existsSync(file);
  const text = exists ? readFileSync(file, "utf8") : "";
  const edited = await editText(text, edit);
  try {
    if (!exists) ensureFolder(dirname(file));
    await replaceFile(file, edited, exists ? {} : { mode: 0o600 });
  } catch (error) {
    throw new HermesError("HERMES_CONFIG_WRITE", { file, problem: problemOf(error) }, { cause: error });
  }
  return file;
}

/** The text of the file after the edit. */
async function editText(text: string, { remove, from, add, to }: ListEdit): Promise<string> {
  const { parseDocument, isSeq, isMap } = await import("yaml");
  const document: Document = parseDocument(text);
  if (!isMap(document.contents)) {
    // Empty, or comments alone: those stay above the first key.
    const { commentBefore, comment } = document;
    document.contents = document.createNode({});
    document.commentBefore = [commentBefore, comment].filter(Boolean).join("\n") || null;
    document.comment = null;
  }
  if (!isMap(document.get("plugins"))) document.set("plugins", document.createNode({}));
  const list = (name: ListName): YAMLSeq | undefined => {
    const node: unknown = document.getIn(["plugins", name], true);
    return isSeq(node) ? node : undefined;
  };
  const source = list(from);
  if (source !== undefined) {
    source.items = source.items.filter((item) => !remove.includes(valueOf(item)));
  }
  const target = list(to);
  if (target === undefined) document.setIn(["plugins", to], document.createNode([add], { flow: false }));
  else if (!target.items.some((item) => remove.includes(valueOf(item)))) target.add(document.createNode(add));
  return document.toString({ lineWidth: 0, ...styleOf(text) });
}

function valueOf(item: unknown): string {
  return String((item as { value?: unknown } | null)?.value ?? item);
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
