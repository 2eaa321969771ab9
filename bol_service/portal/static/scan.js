// The code of a printed copy, read by the camera, from a picture, or from the page's own address:
// who scans the print with a phone arrives here with the code behind the number sign. Pictures stay
// in the browser; what is read goes into the field, and only if it looks like such a code.

import { element } from "./words.js";

const CODE = /^(?:[^#\s]+#)?[0-9a-f]{4}(?:[- ]?[0-9a-f]{4}){3}$/i;
const LONGEST = 300;
const LOOK_MS = 200;
const CAMERA_WIDTH = 800;
const PICTURE_WIDTHS = [800, 1600, 2800];

const place = (id) => document.getElementById(id);
const [code, state, view, start, stop] = ["code", "scan-state", "scan-view", "scan-start", "scan-stop"].map(place);
const video = element("video", { "aria-label": view.dataset.label, playsinline: "" });

let camera = null;
let timer = null;

function tell(word) {
  state.textContent = state.dataset[word];
}

// Whether `text` was a code; if so, it stands in the field.
function take(text, word) {
  if (text.length > LONGEST || !CODE.test(text)) return false;
  const own = `${location.origin}${location.pathname}#`;
  code.value = text.startsWith(own) ? text.slice(own.length) : text;
  tell(word);
  return true;
}

// The text of a QR code in a picture of `width` by `height`, drawn `wide` pixels wide; or null.
async function read(picture, width, height, wide) {
  await import("./jsqr/jsQR.js");
  const scale = Math.min(1, wide / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return globalThis.jsQR(data, canvas.width, canvas.height, { inversionAttempts: "dontInvert" })?.data ?? null;
}

// -- camera --------------------------------------------------------------------------------------

async function open() {
  start.disabled = true;
  try {
    camera = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.srcObject = camera;
    video.muted = true;
    view.replaceChildren(video);
    stop.hidden = false;
    start.hidden = true;
    stop.focus();
    tell("looking");
    await video.play();
    lookSoon();
  } catch {
    giveUp();
  }
  start.disabled = false;
}

function giveUp() {
  close();
  tell("denied");
}

function lookSoon() {
  timer = setTimeout(() => look().catch(giveUp), LOOK_MS);
}

async function look() {
  if (camera === null) return;
  const text = video.videoWidth ? await read(video, video.videoWidth, video.videoHeight, CAMERA_WIDTH) : null;
  if (camera === null) return; // it was stopped meanwhile
  if (text !== null && take(text, "read")) {
    close();
    code.focus();
    return;
  }
  if (text) tell("other");
  lookSoon();
}

function close() {
  clearTimeout(timer);
  camera?.getTracks().forEach((track) => track.stop());
  camera = video.srcObject = null;
  const wasOpen = video.isConnected;
  video.remove();
  stop.hidden = true;
  start.hidden = !navigator.mediaDevices?.getUserMedia;
  if (wasOpen) start.focus();
}

// -- a picture -----------------------------------------------------------------------------------

async function choose(file) {
  if (!file) return;
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    tell("broken");
    return;
  }
  let word = "nothing";
  for (const wide of PICTURE_WIDTHS) {
    const text = await read(picture, picture.width, picture.height, wide);
    if (text && take(text, "read")) return;
    if (text) word = "other";
  }
  tell(word);
}

start.addEventListener("click", open);
stop.addEventListener("click", () => {
  close();
  state.textContent = "";
});
place("scan-photo").addEventListener("change", ({ target }) => {
  choose(target.files[0]).catch(() => tell("broken"));
});
addEventListener("pagehide", close);
place("scan").hidden = false;
close();
if (location.hash.length > 1 && code.value === "") take(location.hash.slice(1), "arrived");
