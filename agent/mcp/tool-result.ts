/** What the model gets of a server's answer to a call: its text, and notes about other content. */
import { isDeepStrictEqual } from "node:util";
import { isMapping } from "#core/mapping";

type Fields = Readonly<Record<string, unknown>>;

/** The value of a tool call; `{"error": …}` for an answer that says it failed. Throws for an answer without a result. */
export function toolValue(answer: Fields): Fields {
  const { content, structuredContent, isError, toolResult } = answer;
  if (content === undefined && structuredContent === undefined && toolResult === undefined) {
    throw new Error("the server's answer has no content");
  }
  const blocks = Array.isArray(content) ? content.map(describeBlock) : [];
  const text = blocks.join("\n");
  if (isError === true) return { error: text.trim() || "the tool failed without saying why" };
  const structured = structuredContent ?? toolResult;
  // Servers repeat it as text for programs that do not know it.
  if (structured === undefined || isRepeated(structured, text, blocks)) return { result: text };
  return blocks.length === 0 ? { structuredContent: structured } : { result: text, structuredContent: structured };
}

/** As JSON, or the only value of an object as it is. */
function isRepeated(value: unknown, text: string, blocks: readonly string[]): boolean {
  if (isMapping(value) && Object.keys(value).length === 1 && Object.values(value)[0] === text) return true;
  return blocks.some((block) => isSame(block, value));
}

function isSame(text: string, value: unknown): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(text), value);
  } catch {
    // Words.
    return false;
  }
}

function describeBlock(block: unknown): string {
  if (!isMapping(block)) return "[content that is not an object]";
  const { type, text, mimeType, data } = block;
  if (type === "text" && typeof text === "string") return text;
  if (type === "image" || type === "audio") return `[${type}: ${describeData(mimeType, data)}; not shown]`;
  if (type === "resource_link") return describeLink(block);
  if (type === "resource" && isMapping(block["resource"])) return describeResource(block["resource"]);
  return `[content of the unknown type ${JSON.stringify(type ?? null)}]`;
}

/** The model may ask for it, if the server has a tool for that. */
function describeLink({ uri, name, mimeType, description }: Fields): string {
  const parts = [name, uri, mimeType].filter((part) => typeof part === "string" && part !== "");
  const about = typeof description === "string" && description !== "" ? `: ${description}` : "";
  return `[resource: ${parts.join(", ")}${about}]`;
}

function describeResource({ uri, text, mimeType, blob }: Fields): string {
  const name = typeof uri === "string" ? uri : "without a URI";
  if (typeof text === "string") return `[resource: ${name}]\n${text}`;
  return `[resource: ${name}, ${describeData(mimeType, blob)}; not shown]`;
}

function describeData(mimeType: unknown, data: unknown): string {
  const type = typeof mimeType === "string" && mimeType !== "" ? mimeType : "unknown type";
  return typeof data === "string" ? `${type}, ${size(data)}` : type;
}

/** Of base64, without decoding it. */
function size(data: string): string {
  const padding = /={0,2}$/.exec(data)?.[0].length ?? 0;
  const bytes = Math.max(Math.floor((data.length * 3) / 4) - padding, 0);
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(1)} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
