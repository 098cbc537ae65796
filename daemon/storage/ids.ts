import { randomInt } from "node:crypto";

const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
const LENGTH = 16;

/** A new random id: 16 lower-case letters and digits. */
export function newId(): string {
  let id = "";
  for (let index = 0; index < LENGTH; index++) id += LETTERS[randomInt(LETTERS.length)];
  return id;
}
