// Undoes PNG's predictors: tables in PDF files are packed row by row, like pictures, each row as what
// differs from its neighbours (ISO 32000-1, 7.4.4.4).
import { NotUnpacked, PdfFault } from "./pdf_objects.js";

// `parameter` tells what the stream says of itself, or what is usual.
export function unpredicted(bytes, parameter) {
  const predictor = parameter("Predictor", 1);
  if (predictor === 1) return bytes;
  if (!(predictor >= 10) || parameter("Colors", 1) !== 1 || parameter("BitsPerComponent", 8) !== 8) {
    throw new NotUnpacked(`the PDF is packed with predictor ${predictor}`);
  }
  const width = parameter("Columns", 1);
  if (!(Number.isInteger(width) && width > 0 && width < 65536)) throw new PdfFault("a predictor is broken");
  const rows = Math.floor(bytes.length / (width + 1));
  const out = new Uint8Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const line = bytes.subarray(row * (width + 1) + 1, (row + 1) * (width + 1));
    unpredictedRow(bytes[row * (width + 1)], line, out, row * width, width);
  }
  return out;
}

function unpredictedRow(kind, line, out, start, width) {
  for (let at = 0; at < width; at++) {
    const left = at > 0 ? out[start + at - 1] : 0;
    const up = start > 0 ? out[start + at - width] : 0;
    const corner = at > 0 && start > 0 ? out[start + at - width - 1] : 0;
    const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][kind];
    if (guess === undefined) throw new PdfFault("a predictor is broken");
    out[start + at] = line[at] + guess;
  }
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value));
  return a <= b && a <= c ? left : b <= c ? up : corner;
}
