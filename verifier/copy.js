// A printed copy: the evidence inside a PDF file, and nothing of what is printed
// (copy/reading.py, copy/checking.py).
import { PdfFile } from "./pdf_file.js";
import { NotUnpacked, PdfFault, Stream, textOf } from "./pdf_objects.js";
import { ASK_AGAIN, Report } from "./report.js";
import { LAW } from "./tables.js";
import { nothingShown, verify } from "./verify.js";

const BEGINS_WITH = "%PDF-";
const SUFFIX = ".ebl.json";
const MOST_ATTACHMENTS = 20;

export function isCopy(bytes) {
  return Array.from(BEGINS_WITH).every((sign, at) => bytes[at] === sign.charCodeAt(0));
}

// The report on a bundle, or on the one inside a PDF. `report.printed` tells which, `report.evidence`
// has the bytes that were judged; null where the PDF held none.
export async function verifyFile(bytes, trust, now) {
  const printed = isCopy(bytes);
  let evidence = bytes;
  try {
    if (printed) evidence = attachedBundle(bytes);
  } catch (error) {
    const report = unread(error, new Report(trust?.demo ?? false));
    return Object.assign(report, { evidence: null, printed, shown: nothingShown() });
  }
  return Object.assign(await verify(evidence, trust, now), { evidence, printed });
}

function unread(error, report) {
  const message = `no evidence in this PDF: ${error.message}`;
  if (error instanceof PdfFault) report.invalid("file", "bad_file", message, ASK_AGAIN);
  else if (!(error instanceof NotUnpacked)) throw error;
  else report.unknown("file", "unknown_version", message, "Use a newer verifier.");
  return report.conclude();
}

// The bytes of the one bundle attached to a PDF, not verified; throws PdfFault or NotUnpacked.
export function attachedBundle(bytes) {
  const most = LAW.limits.bundleBytes;
  if (bytes.length > most) throw new PdfFault(`the PDF has ${bytes.length} bytes, at most ${most} are read`);
  const file = new PdfFile(bytes);
  if (file.isEncrypted) {
    throw new PdfFault("the PDF is encrypted; save it without a password and try again");
  }
  const attached = attachments(file);
  if (attached.length > MOST_ATTACHMENTS) {
    throw new PdfFault(`the PDF has more than ${MOST_ATTACHMENTS} attachments`);
  }
  const bundles = attached.filter(({ name }) => name.endsWith(SUFFIX));
  if (bundles.length !== 1) {
    const found = `${bundles.length} of ${attached.length} attachments are named *${SUFFIX}`;
    const next = "ask for the copy as the platform made it, or for the evidence file";
    throw new PdfFault(`${found}, a printed copy has exactly one; ${next}`);
  }
  return contentOf(file, bundles[0].specification, most);
}

// {name, specification} of the first attachments, one more than are looked at.
function attachments(file) {
  const tree = file.member(file.member(file.root(), "Names"), "EmbeddedFiles");
  const kids = file.member(tree, "Kids");
  const leaves = [...(Array.isArray(kids) ? kids.map((kid) => file.get(kid)) : []), tree];
  const found = [];
  for (const leaf of leaves) {
    const names = file.member(leaf, "Names");
    if (Array.isArray(names)) found.push(...named(file, names));
    if (found.length > MOST_ATTACHMENTS) break;
  }
  return found;
}

// [name, specification, name, specification …]; what stands behind no name has none.
function named(file, names) {
  const found = [];
  for (const [at, item] of names.entries()) {
    const specification = item instanceof Uint8Array ? null : file.get(item);
    if (!(specification instanceof Map)) continue;
    const name = file.get(names.at(at - 1));
    if (!(name instanceof Uint8Array)) throw new PdfFault("an attachment has no name");
    found.push({ name: textOf(name), specification });
    if (found.length > MOST_ATTACHMENTS) break;
  }
  return found;
}

function contentOf(file, specification, most) {
  const held = file.member(specification, "EF");
  const stream = file.member(held, "UF") ?? file.member(held, "F");
  if (!(stream instanceof Stream)) throw new PdfFault("the attachment is not in the PDF");
  const content = file.data(stream, most);
  if (content.length > most) {
    throw new PdfFault(`the attached bundle has more than ${most} bytes, at most ${most} are read`);
  }
  return content;
}
