/** What the model learns of files that come with a message. */
import assert from "node:assert/strict";
import test from "node:test";
import { isLoadable, mediaType, noteFiles, withFiles } from "#gateway/adapters/shared/files";

test("files are named with their type and size", () => {
  assert.equal(noteFiles([]), "");
  assert.equal(
    noteFiles([{ name: "report.pdf", type: "application/pdf", bytes: 120_832 }]),
    "(Sent with this message: report.pdf (application/pdf, 118 KB). You cannot open it.)",
  );
  assert.equal(
    withFiles("look", [
      { name: "cat.png", type: "image/png", bytes: 900 },
      { name: "song.mp3", type: "audio/mpeg; codecs=x", bytes: 3 * 1024 * 1024 },
      {},
    ]),
    "look\n\n(Sent with this message: cat.png (image/png, 900 bytes); song.mp3 (audio/mpeg, 3.0 MB); a file. " +
      "You can only see images.)",
  );
  assert.equal(
    withFiles("", [{ name: "cat.png", type: "image/png" }]),
    "(Sent with this message: cat.png (image/png).)",
  );
  assert.equal(withFiles("words", []), "words");
});

test("a name cannot add lines, hide its end or fill the message", () => {
  const note = noteFiles([{ name: `a\nb\u202e${"x".repeat(500)}`, bytes: 1 }]);
  assert.ok(note.startsWith("(Sent with this message: a b xxx") && !note.includes("\n") && note.length < 250);
  assert.match(
    noteFiles(Array.from({ length: 30 }, () => ({ name: "x" }))),
    /; 10 more\. You can only see images\.\)$/,
  );
});

test("only images that models take, of at most 5 MB, are loaded", () => {
  assert.equal(isLoadable({ type: "IMAGE/PNG; q=1", bytes: 5 * 1024 * 1024 }), true);
  assert.equal(isLoadable({ type: "image/png", bytes: 5 * 1024 * 1024 + 1 }), false);
  assert.equal(isLoadable({ type: "image/tiff", bytes: 1 }), false);
  assert.equal(mediaType(null), "");
});
