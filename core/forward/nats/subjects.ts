/** The subjects of events in a stream: `hermes.events.<src>.<event_type with . for :>` (CONTRACT §16). */

/** What has a meaning in a subject, or cannot be part of one. */
const UNSAFE = /[\s*>\p{Cc}]/gu;

/**
 * The subject of an event. A colon separates tokens, as a dot does; blanks, control characters, `*` and `>` become `_`,
 * and so does an empty token. A source is a single token.
 */
export function subjectOf(prefix: string, src: string, event_type: string): string {
  const tokens = event_type.split(/[.:]/).map(safeToken);
  return [prefix, safeToken(src.replaceAll(".", "_")), ...tokens].join(".");
}

function safeToken(text: string): string {
  return text.toWellFormed().replace(UNSAFE, "_") || "_";
}

/** True when a stream's subject, which may have wildcards, takes everything below the prefix. */
export function covers(subject: string, prefix: string): boolean {
  const wanted = prefix.split(".");
  const tokens = subject.split(".");
  for (const [index, token] of tokens.entries()) {
    // Below the prefix there is at least one more token, so that its end may be here.
    if (token === ">") return index <= wanted.length;
    if (index >= wanted.length || (token !== "*" && token !== wanted[index])) return false;
  }
  return false;
}
