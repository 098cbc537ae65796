/** At most `most` UTF-16 units of the text; `…` marks that it was longer. */
export function truncate(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
